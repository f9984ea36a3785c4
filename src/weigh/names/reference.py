"""A string as a Reference."""

from __future__ import annotations

import re
from collections.abc import Callable

from weigh.core.errors import BadReference
from weigh.core.reference import Hub, Reference

MOST = 8192
_HUB = r"(?s)^(hf|ms|ollama|echo):(.*)$"
_URL = r"(?s)^(https?)://(.*)$"
_PIECE = r"(?!\.{1,2}$)[^\s/@:\\\x00-\x1f\x7f]+"
_SNAPSHOT = re.compile(r"models--([^/\\]+?)--([^/\\]+)[/\\]snapshots[/\\][^/\\]+(?:[/\\](.+))?$")
_HUBS: dict[str, Hub] = {"hf": "hf", "ms": "ms", "ollama": "ollama", "echo": "echo"}
# Names that say what a file is in a repository, and nothing of which model.
_GENERIC = re.compile(
    r"^(?:model|pytorch_model|adapter_model|diffusion_pytorch_model|consolidated|tf_model|flax_model|weights|ggml-model)"
    r"(?:[-.]?\d{2,5}(?:-of-\d{5})?)?\.\w+$"
)


def parse(text: str, *, exists: Callable[[str], bool]) -> Reference:
    """An existing path; else what its prefix says; else a name. A bare `org/name` is a name.

    Raises BadReference.
    """
    if not text.strip():
        raise BadReference("reference.empty")
    if len(text) <= MOST and "\0" not in text and exists(text):
        return Reference(text=text, hub="path", name=text)
    if (url := re.match(_URL, text)) is not None:
        return Reference(text=text, hub="https" if url[1] == "https" else "http", name=url[2])
    if (found := re.match(_HUB, text)) is not None:
        return _on_hub(text, _HUBS[found[1]], found[2])
    return Reference(text=text, hub="name", name=text)


def may_be_far(text: str) -> bool:
    """Has it a prefix by which it could lie on the network? A bare `org/name` never has."""
    return text.startswith(("hf:", "ms:", "http://", "https://"))


def canonicalise(reference: Reference) -> Reference:
    """The same reference with its text as we would write it."""
    return Reference(
        text=str(reference),
        hub=reference.hub,
        name=reference.name,
        namespace=reference.namespace,
        revision=reference.revision,
        file=reference.file,
    )


def text_of_name(reference: Reference) -> str | None:
    """The text that names the model; None where there is none to read.

    Of a path the last part, or the folder's where the file has a generic name; in a Hugging Face cache the repository.
    Of a file on a hub its own name, or the repository's likewise; of an address its last part.
    """
    if reference.hub in ("http", "https"):
        return re.split(r"[?#]", reference.name)[0].rstrip("/").rpartition("/")[2] or None
    if reference.hub != "path":
        file = (reference.file or "").rpartition("/")[2] if reference.hub in ("hf", "ms") else ""
        return file if file and not _GENERIC.match(file) else reference.name
    if (snapshot := _SNAPSHOT.search(reference.name)) is not None:
        file = snapshot[3]
        named = file is not None and not _GENERIC.match(re.split(r"[/\\]", file)[-1])
        return re.split(r"[/\\]", file)[-1] if named else f"{snapshot[1]}/{snapshot[2]}"
    parts = [part for part in re.split(r"[/\\]", reference.name) if part not in ("", ".")]
    if not parts or parts[-1] == "..":
        return None
    if _GENERIC.match(parts[-1]):
        return parts[-2] if len(parts) > 1 and parts[-2] != ".." else parts[-1]
    return parts[-1]


def _on_hub(text: str, hub: Hub, rest: str) -> Reference:
    """`namespace/name@revision:file`; echo needs no name."""
    rest, _, file = rest.partition(":")
    rest, _, revision = rest.partition("@")
    namespace, slash, name = rest.rpartition("/")
    if hub == "echo":
        return Reference(text=text, hub=hub, name=name)
    pieces = [*(namespace.split("/") if slash else []), name]
    if not all(re.fullmatch(_PIECE, piece) for piece in pieces) or len(pieces) > (2 if hub in ("hf", "ms") else 3):
        raise BadReference("reference.hub", text=text, hub=hub)
    return Reference(
        text=text, hub=hub, namespace=namespace or None, name=name, revision=revision or None, file=file or None
    )
