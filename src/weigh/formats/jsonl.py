"""JSON Lines: a data set, one record a line; its rows counted, its columns and purpose told from a sample."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from weigh.codecs.lines import sample_lines
from weigh.codecs.records import sample_of
from weigh.codecs.shaped_json import decode_shape
from weigh.core.errors import FormatError
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source

FIRST = 1 << 12
LONGEST = 1 << 20  # of a first line
MOST_RECORDS = 2000
_BOM = b"\xef\xbb\xbf"


def matches(source: Source) -> bool:
    """Two lines or more, the first two whole records: objects, or lists of objects."""
    head = source.read(0, 1 + len(_BOM)).removeprefix(_BOM)
    if head[:1] not in (b"{", b"["):
        return False
    lines = _first_lines(source)
    return len(lines) == 2 and all(_is_record(_decoded(line, source)) for line in lines)


def read(source: Source) -> Header:
    """Rows, columns, schema; how many of the sampled lines are empty or no JSON."""
    sampled = sample_lines(source)
    lines = [line.removeprefix(_BOM) for line in sampled.lines]
    step = max(1, len(lines) // MOST_RECORDS)
    chosen = lines[::step]
    filled = [line for line in chosen if line.strip()]
    records = [_decoded(line, source) for line in filled]
    whole = [record for record in records if record is not _NOTHING]
    empty = sum(not line.strip() for line in lines)
    rows = sampled.count - empty if sampled.exact and len(sampled.lines) == sampled.count else sampled.count
    metadata: dict[str, Meta] = {"rows": rows, "is_estimate": not sampled.exact, "sampled": len(chosen)}
    metadata |= sample_of(whole).metadata()
    metadata |= {"empty_lines": len(chosen) - len(filled)} if len(filled) < len(chosen) else {}
    metadata |= {"invalid_lines": len(records) - len(whole)} if len(whole) < len(records) else {}
    return Header(format="jsonl", metadata=metadata)


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Nothing: text that no loader runs."""
    return iter(())


_NOTHING = object()


def _first_lines(source: Source) -> list[bytes]:
    """The first two lines that are not empty; the second may be cut where it is long."""
    for reach in (FIRST, LONGEST):
        head = source.read(0, reach).removeprefix(_BOM)
        lines = [line for line in head.split(b"\n") if line.strip()]
        if len(lines) > 2 or (len(lines) == 2 and (reach >= source.size or head.endswith(b"\n"))):
            return lines[:2]
    return [lines[0], b"{}"] if len(lines) == 2 and lines[1].lstrip()[:1] in (b"{", b"[") else []


def _decoded(line: bytes, source: Source) -> object:
    shape: Any = object
    try:
        return decode_shape(line, shape, path=source.path)
    except FormatError:
        return _NOTHING


def _is_record(value: object) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and isinstance(value[0], dict))


FORMAT = Format(
    name="jsonl",
    suffixes=(".jsonl", ".ndjson"),
    matches=matches,
    read=read,
    examine=examine,
    is_model=False,
)
