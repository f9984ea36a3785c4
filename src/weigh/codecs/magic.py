"""What the table of magics says of a file."""

from __future__ import annotations

from weigh.core.source import Source
from weigh.knowledge.magics import Magic, magics

_HEAD = 512


def magic_of(source: Source) -> Magic | None:
    """The row that asks for most bytes of those that agree."""
    head = source.read(0, _HEAD)
    for row, places in magics():
        if all(_stands(source, head, offset, magic) for offset, magic in places):
            return row
    return None


def _stands(source: Source, head: bytes, offset: int, magic: bytes) -> bool:
    if 0 <= offset <= _HEAD - len(magic):
        return head.startswith(magic, offset)
    start = offset if offset >= 0 else source.size + offset
    return start >= 0 and source.read(start, len(magic)) == magic
