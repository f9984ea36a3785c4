"""A file whose content no format of ours recognises was not looked at."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Skip
from weigh.core.rule import Evidence, Examined, Rule
from weigh.core.saying import Saying

# Formats that keep their numbers in files beside them; such a file has no mark, and their readers take numbers alone.
BESIDE = frozenset(("coreml", "ncnn", "onnx", "openvino", "tf-checkpoint", "tfjs"))


def check(evidence: Evidence) -> Iterator[Skip]:
    """A Skip for each; an empty or unreadable file has its finding already, bare numbers are told by another file."""
    described = {path for file in evidence.files for path in _beside(file)}
    for file in evidence.files:
        if file.format == "unknown" and not file.problems and file.path not in described:
            yield Skip(rule=RULE.id, path=file.path, reason="not-recognised", detail=_known(file), matters=True)


def _known(file: Examined) -> Saying | None:
    """Which it is, where it has a name all the same."""
    metadata = file.header.metadata if file.header is not None else {}
    own = metadata.get("private")
    if isinstance(own, dict):
        id, tool = str(own["id"]), own.get("tool")
        return Saying("skip.private_tool", id=id, tool=str(tool)) if tool else Saying("skip.private", id=id)
    like, kind = metadata.get("looks_like"), metadata.get("kind")
    if not isinstance(like, str):
        return None
    return Saying(f"skip.closed.{kind}", id=like, tool=str(metadata.get("tool", "-")))


def _beside(file: Examined) -> Iterator[str]:
    """Where the numbers of its tensors may lie: a path from its folder, or its own name with another ending."""
    if file.format not in BESIDE or file.header is None:
        return
    folder, slash, name = file.path.rpartition("/")
    stem = folder + slash + name.rpartition(".")[0]
    if file.format == "ncnn":
        yield stem.removesuffix(".param") + ".bin"
    for storage in {tensor.storage for tensor in file.header.tensors if tensor.storage}:
        yield folder + slash + storage.removeprefix("@model_path/")
        yield stem + (storage if storage.startswith(".") else f".{storage}")
    listed = file.header.metadata.get("files")
    yield from (f"{folder}{slash}{path}" for path in (listed if isinstance(listed, tuple) else ()))


RULE = Rule(id="not-recognised", check=check)
