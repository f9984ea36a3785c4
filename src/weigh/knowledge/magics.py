"""First bytes that tell what a file is which no reader of ours opens."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.core.value import Value
from weigh.knowledge import Row, read_table

Kind = Literal[
    "archive", "data", "database", "document", "encrypted", "font", "model", "picture", "program", "sound", "table",
    "video",
]  # fmt: skip


class Also(Value, frozen=True, kw_only=True):
    """A second place that must agree."""

    offset: int
    magic: str


class Magic(Row, frozen=True, kw_only=True):
    """`magic` in hexadecimal at `offset` (below zero: from the end); its words are under `magic.`; `tool` opens it."""

    kind: Kind
    magic: str
    offset: int = 0
    also: Also | None = None
    tool: str | None = None


@functools.cache
def magics() -> tuple[tuple[Magic, tuple[tuple[int, bytes], ...]], ...]:
    """Rows with what must stand where; those that ask for more bytes come first."""
    found = [(row, _places(row)) for row in read_table("magics", Magic)]
    return tuple(sorted(found, key=lambda one: -sum(len(magic) for _, magic in one[1])))


@functools.cache
def magics_by_first_byte() -> Mapping[int | None, tuple[tuple[Magic, tuple[tuple[int, bytes], ...]], ...]]:
    """The same by the byte that stands first in the file; under None those that begin elsewhere."""
    found: dict[int | None, list[tuple[Magic, tuple[tuple[int, bytes], ...]]]] = {None: []}
    for row, places in magics():
        first = {magic[0] for offset, magic in places if offset == 0}
        found.setdefault(min(first, default=None), []).append((row, places))
    return {first: tuple(rows) for first, rows in found.items()}


def _places(row: Magic) -> tuple[tuple[int, bytes], ...]:
    first = (row.offset, bytes.fromhex(row.magic))
    return (first,) if row.also is None else (first, (row.also.offset, bytes.fromhex(row.also.magic)))
