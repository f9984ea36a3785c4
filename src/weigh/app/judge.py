"""What was seen, merged, held against the name and judged: a Report, file by file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from weigh.app.steps import next_steps
from weigh.app.wish import Named, Weighed
from weigh.core.finding import VERDICTS, Finding, Skip, Verdict
from weigh.core.model import Model, ModelFile
from weigh.core.name import Name
from weigh.core.reference import Reference
from weigh.core.report import FileReport, Report
from weigh.core.rule import Evidence, Examined
from weigh.core.schema import SCHEMA
from weigh.describe.compare import compare
from weigh.describe.languages import stated
from weigh.describe.merge import merge
from weigh.describe.seen import Seen
from weigh.knowledge.imports import tier_of
from weigh.names.decode import decode
from weigh.names.reference import text_of_name
from weigh.rules import judge

if TYPE_CHECKING:
    from weigh.app.sample import Open


def judged(
    reference: Reference,
    evidence: Evidence,
    allow: tuple[str, ...],
    left: tuple[Skip, ...] = (),
    *,
    opened: Open | None = None,
) -> Weighed:
    """`allow` are names that pickles may import; `left` is what nobody looked at, known before any rule is asked.
    `opened` opens a file again, to hold the name against more than headers.
    """
    name = name_of(reference)
    files = tuple(
        ModelFile(path=file.path, format=file.format, nbytes=file.nbytes, header=file.header) for file in evidence.files
    )
    model = merge(files, evidence.folder.header if evidence.folder else None, name)
    claims = compare(name, model, _seen(name, model, opened)) if name is not None else ()
    seen = tuple(_allowing(file, allow) for file in evidence.files)
    findings, skips = judge(Evidence(files=seen, folder=evidence.folder, model=model, claims=claims))
    skips = left + skips
    accounts = accounts_of(
        [FileReport(path=f.path, format=f.format, nbytes=f.nbytes, verdict="clean", covered=True) for f in seen],
        findings,
        skips,
    )
    report = Report(
        schema=SCHEMA,
        reference=reference,
        verdict=worst([*(file.verdict for file in accounts), *verdicts(findings, skips)]),
        format=_format(evidence, model),
        name=name,
        model=model,
        files=accounts,
        claims=claims,
        findings=findings,
        skips=skips,
    )
    report = msgspec.structs.replace(report, next_steps=next_steps(report))
    return Weighed(report=report, imports=tuple(_imports(evidence, allow)))


def name_of(reference: Reference) -> Name | None:
    """What the reference is called, taken apart."""
    text = text_of_name(reference)
    return decode(text) if text else None


def _seen(name: Name, model: Model, opened: Open | None) -> Seen:
    """What lies beyond headers, where the name asks for it: by a family, a language or what it is based on."""
    if model.base_model is None and name.family is None and not stated(name):
        return Seen()
    headers = [file.header for file in model.files if file.header is not None]
    if model.base_model is None and not any(header.tensors or header.metadata for header in headers):
        return Seen()
    from weigh.app.sample import look

    return look(name, model, opened)


def accounts_of(
    files: Sequence[FileReport], findings: Sequence[Finding], skips: Sequence[Skip]
) -> tuple[FileReport, ...]:
    """Each file with its verdict; what is found inside a container is the container's as well."""
    found: dict[str, list[Finding]] = {}
    missed: dict[str, list[Skip]] = {}
    for finding in findings:
        for path in _around(finding.path):
            found.setdefault(path, []).append(finding)
    for skip in skips:
        for path in _around(skip.path):
            missed.setdefault(path, []).append(skip)
    return tuple(_account(file, found.get(file.path, []), missed.get(file.path, [])) for file in files)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them; clean where there are none."""
    return min(verdicts, key=VERDICTS.index, default="clean")


def verdicts(findings: Iterable[Finding], skips: Iterable[Skip]) -> Iterator[Verdict]:
    """What each makes of a file."""
    yield from (finding.verdict for finding in findings if finding.verdict is not None)
    if any(skip.matters for skip in skips):
        yield "incomplete"


def _around(path: str) -> Iterator[str]:
    """The path and, for a member, those of all containers it lies in."""
    yield path
    while "!/" in path:
        path = path.rpartition("!/")[0]
        yield path


def _account(file: FileReport, findings: list[Finding], skips: list[Skip]) -> FileReport:
    covered = not any(skip.matters for skip in skips)
    return msgspec.structs.replace(file, verdict=worst(verdicts(findings, skips)), covered=covered)


def _allowing(file: Examined, allow: tuple[str, ...]) -> Examined:
    """Without the imports that whoever asks allows."""
    if not allow:
        return file
    kept = tuple(one for one in file.observations if one.kind != "import" or one.value.replace(" ", ".") not in allow)
    return msgspec.structs.replace(file, observations=kept)


def _imports(evidence: Evidence, allow: tuple[str, ...]) -> Iterator[Named]:
    """Every name once a file, sorted."""
    for file in evidence.files:
        for value in sorted({one.value for one in file.observations if one.kind == "import"}):
            module, _, name = value.partition(" ")
            tier = "allowed" if f"{module}.{name}" in allow else tier_of(module, name)
            yield Named(name=f"{module}.{name}", tier=tier, path=file.path)


def _format(evidence: Evidence, model: Model) -> str:
    if evidence.folder is not None:
        return evidence.folder.format
    first = evidence.files[0]
    if all(file.path.startswith(f"{first.path}!/") for file in evidence.files[1:]):
        return first.format
    return model.format.value if model.format is not None else "unknown"
