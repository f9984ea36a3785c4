"""TensorRT: an engine built for one kind of GPU, closed to everyone but the library that built it.

Ultralytics writes a length and a JSON table before the engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from weigh.codecs.json import decode
from weigh.core.errors import FormatError
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source

MAGICS = (b"ftrt", b"ptrt")
MOST_TABLE = 1 << 16


def matches(source: Source) -> bool:
    """The magic number, at the start or behind a table."""
    head = source.read(0, 5)
    return head[:4] in MAGICS or (head[4:5] == b"{" and _table(source) is not None)


def read(source: Source) -> Header:
    """The version number behind the magic, and what the table before it says. Raises SourceError."""
    found = _table(source) if source.read(0, 4) not in MAGICS else None
    start, table = found if found is not None else (0, {})
    version = int.from_bytes(source.read(start + 4, 4), "little")
    metadata: dict[str, Meta] = {
        key: value if isinstance(value, str | int | float | bool) else str(value)[:1000] for key, value in table.items()
    }
    return Header(
        format="tensorrt", version=str(version), metadata={**metadata, "engine_offset": start} if start else {}
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """The engine itself is closed: plugins it names are found by the library alone."""
    return iter(())


def _table(source: Source) -> tuple[int, dict[str, Any]] | None:
    """Where the engine begins, and the table before it."""
    length = int.from_bytes(source.read(0, 4), "little")
    if not 2 <= length <= MOST_TABLE or source.read(4 + length, 4) not in MAGICS:
        return None
    try:
        table, _ = decode(source.read(4, length), path=source.path, offset=4)
    except FormatError:
        return None
    return (4 + length, table) if isinstance(table, dict) else None


FORMAT = Format(
    name="tensorrt",
    suffixes=(".engine", ".plan", ".trt"),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("engine_code",),
)
