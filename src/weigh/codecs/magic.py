"""What the table of magics says of a file."""

from __future__ import annotations

from weigh.core.source import Source
from weigh.knowledge.magics import Magic, magics_by_first_byte

_HEAD = 512


def magic_of(source: Source) -> Magic | None:
    """The row that agrees: of those that begin the file the one that asks for most bytes, then those elsewhere."""
    head = source.read(0, _HEAD)
    if not head:
        return None
    known = magics_by_first_byte()
    for row, places in (*known.get(head[0], ()), *known[None]):
        if all(_stands(source, head, offset, magic) for offset, magic in places):
            return row
    return None


def _stands(source: Source, head: bytes, offset: int, magic: bytes) -> bool:
    if 0 <= offset <= _HEAD - len(magic):
        return head.startswith(magic, offset)
    start = offset if offset >= 0 else source.size + offset
    return start >= 0 and source.read(start, len(magic)) == magic
