"""Headers as lines for a screen: every key, every tensor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from weigh.core.header import Header, LongArray, Meta
from weigh.core.model import Model
from weigh.core.units import in_bytes
from weigh.text import Language, safe, say
from weigh.text.datasets import is_told
from weigh.text.tree import tree_lines


def header_lines(model: Model, language: Language, *, tree: bool = False) -> Iterator[str]:
    """For each file that has a header with something to list: its keys, then its tensors, a line each.

    As a tree, the tensors of all files are drawn once, as the one model they are.
    """
    for file in model.files:
        header = file.header
        if header is None or not (header.metadata or (header.tensors and not tree)) or is_told(header):
            continue
        yield ""
        yield safe(file.path)
        yield from (f"  {line}" for line in _metadata(header.metadata, ""))
        yield from () if tree else _tensors(header, language)
    if tree:
        yield ""
        yield from tree_lines(
            (tensor for file in model.files if file.header for tensor in file.header.tensors), language
        )


def _metadata(metadata: Mapping[str, Meta], stem: str) -> Iterator[str]:
    pending: list[tuple[str, Meta]] = [(key, value) for key, value in reversed(list(metadata.items()))]
    while pending:
        key, value = pending.pop()
        if isinstance(value, Mapping) and value:
            pending += [(f"{key}.{inner}", item) for inner, item in reversed(list(value.items()))]
        elif isinstance(value, tuple | list) and any(isinstance(item, Mapping) for item in value):
            pending += [(f"{key}.{number}", value[number]) for number in reversed(range(len(value)))]
        else:
            yield f"{safe(stem + key)} = {_shown(value)}"


def _shown(value: Meta) -> str:
    match value:
        case LongArray(type=kind, count=count, first=first):
            return f"{kind}[{count}] {safe(', '.join(map(str, first)))} ..."
        case str(text):
            return safe(text)
        case tuple() | list():
            return safe("[" + ", ".join(map(str, value)) + "]")
        case _:
            return safe(str(value))


def _tensors(header: Header, language: Language) -> Iterator[str]:
    if not header.tensors:
        return
    width = min(max(len(tensor.name) for tensor in header.tensors), 72)
    for tensor in header.tensors:
        shape = "x".join(map(str, tensor.shape)) or say("contents.scalar", language)
        nbytes = in_bytes(tensor.nbytes) if tensor.nbytes is not None else ""
        yield f"  {safe(tensor.name):<{width}}  {safe(tensor.dtype):<8} {shape:<20} {nbytes}".rstrip()
