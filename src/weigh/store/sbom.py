"""A model's bill of materials in CycloneDX 1.6: a machine-learning-model, which depends on its files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from weigh.core.errors import BadReference, SourceError
from weigh.core.value import Value
from weigh.store.compare import Checked
from weigh.store.lock import Lock
from weigh.store.quarantine import write
from weigh.store.signature import EXTRA

if TYPE_CHECKING:
    from cyclonedx.model.component import Component
    from cyclonedx.model.license import DisjunctiveLicense
    from packageurl import PackageURL

_ENDPOINTS = {"hf": "https://huggingface.co", "ms": "https://www.modelscope.cn/models"}


class Subject(Value, frozen=True, kw_only=True):
    """The model that it is about, as far as anybody says."""

    name: str
    namespace: str | None = None
    hub: str | None = None
    commit: str | None = None
    licence: str | None = None
    verdict: str | None = None


def subject_of(lock: Lock) -> Subject:
    """What a lock says of its model."""
    namespace, _, name = lock.repository.rpartition("/")
    return Subject(
        name=name,
        namespace=namespace or None,
        hub=lock.hub,
        commit=lock.commit or lock.revision,
        licence=lock.licence,
        verdict=lock.verdict,
    )


def sbom(subject: Subject, files: Sequence[Checked], *, now: datetime, version: str) -> str:
    """The document; of the same model the same serial number. Raises BadReference without the library."""
    try:
        from cyclonedx.model.bom import Bom, BomMetaData
        from cyclonedx.model.component import Component, ComponentType
        from cyclonedx.model.tool import ToolRepository
        from cyclonedx.output.json import JsonV1Dot6
    except ImportError as error:
        raise BadReference("signature.library", extra=EXTRA) from error
    model = _model(subject)
    parts = [_file(one) for one in files if one.sha256 is not None]
    tool = Component(name="weigh", type=ComponentType.APPLICATION, version=version, bom_ref="weigh")
    text = "\n".join(f"{one.sha256} {one.path}" for one in files)
    serial = uuid5(NAMESPACE_URL, f"{subject.hub}:{subject.namespace}/{subject.name}@{subject.commit}\n{text}")
    metadata = BomMetaData(component=model, timestamp=now, tools=ToolRepository(components=[tool]))
    bom = Bom(components=parts, serial_number=serial, metadata=metadata)
    bom.register_dependency(model, parts)
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"


def write_sbom(path: str, text: str) -> None:
    """All of it or nothing. Raises SourceError."""
    try:
        write(path, text.encode("utf-8"))
    except OSError as error:
        raise SourceError("store.cannot_write", path=path, reason=error.strerror or str(error)) from error


def _model(subject: Subject) -> Component:
    from cyclonedx.model import ExternalReference, ExternalReferenceType, Property, XsUri
    from cyclonedx.model.component import Component, ComponentType

    purl = _purl(subject)
    page = _ENDPOINTS.get(subject.hub or "")
    pages = [ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=XsUri(f"{page}/{_id(subject)}"))]
    said = (("weigh:hub", subject.hub), ("weigh:verdict", subject.verdict))
    return Component(
        name=subject.name,
        group=subject.namespace,
        version=subject.commit,
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=purl.to_string() if purl is not None else subject.name,
        purl=purl,
        licenses=[_licence(subject.licence)] if subject.licence else None,
        external_references=pages if page is not None else None,
        properties=[Property(name=name, value=value) for name, value in said if value is not None],
    )


def _id(subject: Subject) -> str:
    return f"{subject.namespace}/{subject.name}" if subject.namespace else subject.name


def _purl(subject: Subject) -> PackageURL | None:
    """Hugging Face has a type of its own among package URLs; what is from elsewhere is generic, with the place."""
    from packageurl import PackageURL

    if subject.hub == "hf":
        return PackageURL("huggingface", subject.namespace, subject.name, subject.commit)
    if subject.hub == "ms":
        where = {"repository_url": _ENDPOINTS["ms"].removesuffix("/models")}
        return PackageURL("generic", subject.namespace, subject.name, subject.commit, where)
    return None


def _licence(text: str) -> DisjunctiveLicense:
    """By its identifier in SPDX where it has one."""
    from cyclonedx.model.license import DisjunctiveLicense
    from cyclonedx.spdx import fixup_id

    known = fixup_id(text)
    return DisjunctiveLicense(id=known) if known is not None else DisjunctiveLicense(name=text)


def _file(one: Checked) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType, Property
    from cyclonedx.model.component import Component, ComponentType

    size = [Property(name="weigh:nbytes", value=str(one.nbytes))] if one.nbytes is not None else None
    digest = HashType(alg=HashAlgorithm.SHA_256, content=one.sha256 or "")
    return Component(
        name=one.path, type=ComponentType.FILE, bom_ref=f"file:{one.path}", hashes=[digest], properties=size
    )
