"""A table of values parted by commas, tabs or semicolons: rows, columns, types from a sample."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from weigh.codecs.lines import sample_lines
from weigh.codecs.plain_text import head_of_text
from weigh.codecs.records import sample_of, schema_of_columns
from weigh.codecs.text_observations import observe_text
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source

MARKS = (",", "\t", ";")
MOST_ROWS = 2000
_INT = re.compile(r"[-+]?\d{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")
_BOM = "\ufeff"


def matches(source: Source) -> bool:
    """Lines of one number of fields, two at least, all parted by one mark; quoted fields count whole."""
    return _mark(source) is not None


def read(source: Source) -> Header:
    """The header line's names where there is one; quoted line ends make the count of rows an estimate."""
    mark = _mark(source) or ","
    sampled = sample_lines(source)
    text = b"\n".join(sampled.lines[:MOST_ROWS]).decode("utf-8", "replace").removeprefix(_BOM)
    rows = _rows(text, mark)
    named = bool(rows) and _is_header(rows[0])
    names = rows[0] if named else [str(number) for number in range(1, len(rows[0]) + 1 if rows else 0)]
    records = [dict(zip(names, map(_typed, row), strict=False)) for row in rows[named:]]
    quoted = len(rows) < min(len(sampled.lines), MOST_ROWS)
    share = len(rows) / max(1, min(len(sampled.lines), MOST_ROWS)) if quoted else 1.0
    metadata: dict[str, Meta] = {
        "rows": max(0, round(sampled.count * share) - named),
        "is_estimate": not sampled.exact or (quoted and sampled.count > MOST_ROWS),
        "sampled": len(records),
        "delimiter": mark,
        "has_header": named,
    }
    metadata |= sample_of(records).metadata()
    schema = schema_of_columns(names) if named else None
    return Header(format="csv", metadata=metadata | ({"schema": schema} if schema is not None else {}))


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """What the same lines are to who takes them for another text: settings look like a table, too."""
    yield from observe_text(source, header)


def _mark(source: Source) -> str | None:
    head = head_of_text(source)
    if head is None:
        return None
    text = head.decode("utf-8", "ignore").removeprefix(_BOM)
    lines = text if len(head) == source.size else text.rpartition("\n")[0]
    for mark in MARKS:
        rows = _rows(lines, mark)[:9]
        if len(head) < source.size and len(rows) > 2:
            rows = rows[:-1]  # a quoted field may be cut
        if len(rows) >= 2 and len(rows[0]) > 1 and len({len(row) for row in rows}) == 1 and not _is_prose(rows):
            return mark
    return None


def _is_prose(rows: list[list[str]]) -> bool:
    """Sentences with as many commas each."""
    spaced = all(field.startswith(" ") for row in rows for field in row[1:])
    return spaced and any(row[-1].rstrip().endswith((".", "!", "?", ":")) for row in rows)


def _rows(text: str, mark: str) -> list[list[str]]:
    found: list[list[str]] = []
    try:
        for row in csv.reader(text.splitlines(keepends=True), delimiter=mark):
            if row:
                found.append(row)
    except csv.Error:
        pass  # a field beyond the module's own bound, or a stray return: what came before it stands
    return found


def _is_header(row: list[str]) -> bool:
    """Names: filled, each once, none a number, none long."""
    return len(set(row)) == len(row) and all(
        0 < len(name) <= 64 and not isinstance(_typed(name), int | float) for name in row
    )


def _typed(field: str) -> object:
    if field == "":
        return None
    if _INT.fullmatch(field):
        return int(field)
    if _FLOAT.fullmatch(field):
        return float(field)
    return field


FORMAT = Format(name="csv", suffixes=(".csv", ".tsv"), matches=matches, read=read, examine=examine, is_model=False)
