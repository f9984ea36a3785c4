"""Parquet: a table of columns; its footer tells rows, columns and types, and no data is read.

https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from weigh.codecs.cursor import Cursor
from weigh.codecs.records import MOST_COLUMNS, schema_of_columns
from weigh.codecs.thrift import Reader, Thing
from weigh.core.errors import Malformed, OverBudget, Truncated
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source

PLAIN, LOCKED = b"PAR1", b"PARE"
_TYPES = ("bool", "int32", "int64", "int96", "float", "double", "bytes", "fixed bytes")
_CONVERTED = {
    0: "string", 4: "enum", 5: "decimal", 6: "date", 7: "time", 8: "time", 9: "timestamp", 10: "timestamp", 11: "uint8",
    12: "uint16", 13: "uint32", 14: "uint64", 15: "int8", 16: "int16", 17: "int32", 18: "int64", 19: "json", 20: "bson",
}  # fmt: skip
_WRAPPERS = {
    ("list", "element"),
    ("list", "item"),
    ("bag", "array_element"),
    ("bag", "array"),
    ("list", "array_element"),
}
_SCHEMA, _ROWS, _GROUPS, _PAIRS, _MADE_BY = 2, 3, 4, 5, 6
_LIST = 9


def matches(source: Source) -> bool:
    """The format's own four letters stand first."""
    return source.size >= 12 and source.read(0, 4) in (PLAIN, LOCKED)


def read(source: Source) -> Header:
    """Rows, columns, row groups, who wrote it. Raises FormatError."""
    tail = source.read(source.size - 8, 8)
    if tail[4:] not in (PLAIN, LOCKED):
        raise Truncated("parquet.no_footer", path=source.path, offset=source.size)
    if tail[4:] == LOCKED:
        problem = Problem(kind="encrypted", detail=Saying("problem.parquet.encrypted"))
        return Header(format="parquet", metadata={"is_encrypted": True}, problems=(problem,))
    length = int.from_bytes(tail[:4], "little")
    if length > source.size - 12:
        raise Malformed("parquet.footer", path=source.path, offset=source.size - 8, length=length)
    reader = Reader(Cursor(source, offset=source.size - 8 - length, end=source.size - 8))
    found = _footer(reader)
    columns = _columns(found.get(_SCHEMA))
    metadata: dict[str, Meta] = {"rows": _whole(found.get(_ROWS)), "is_estimate": False}
    metadata |= {"columns": dict(list(columns.items())[:MOST_COLUMNS]), "row_groups": _whole(found.get(_GROUPS))}
    metadata |= {"more_columns": len(columns) - MOST_COLUMNS} if len(columns) > MOST_COLUMNS else {}
    metadata |= {"created_by": _text(found[_MADE_BY])} if _MADE_BY in found else {}
    metadata |= {"keys": tuple(_keys(found.get(_PAIRS)))} if _PAIRS in found else {}
    schema = schema_of_columns(columns)
    version = found.get(1)
    return Header(
        format="parquet",
        version=str(version) if isinstance(version, int) else None,
        metadata=metadata | ({"schema": schema} if schema is not None else {}),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Nothing: columns of values that no loader runs."""
    return iter(())


def _footer(reader: Reader) -> dict[int, Thing]:
    """The fields we speak of; of the row groups only how many. Past the budget what was seen until then stands."""
    found: dict[int, Thing] = {}
    try:
        for number, kind in reader.fields():
            if number == _GROUPS and kind == _LIST:
                count, of = reader.list_head()
                found[number] = count
                for _ in range(count):
                    reader.skip(of)
            elif number in (1, _SCHEMA, _ROWS, _PAIRS, _MADE_BY):
                found[number] = reader.value(kind)
            else:
                reader.skip(kind)
    except OverBudget:
        if _GROUPS not in found:
            raise
    return found


def _columns(elements: Thing | None) -> dict[str, str]:
    """Leaves by their path; a list's own levels are written `[]`."""
    if not isinstance(elements, list):
        return {}
    found: dict[str, str] = {}
    open_groups: list[tuple[str, int]] = []  # path below the root, children still to come
    for element in elements[1:]:
        if not isinstance(element, dict):
            continue
        path = [name for name, _ in open_groups] + [_text(element.get(4, b""))]
        open_groups = [*open_groups[:-1], (open_groups[-1][0], open_groups[-1][1] - 1)] if open_groups else []
        children = _whole(element.get(5))
        if children:
            open_groups.append((path[-1], children))
        else:
            found[_written(path)] = _type(element)
        while open_groups and open_groups[-1][1] <= 0:
            open_groups.pop()
        if len(open_groups) > 64:
            break
    return found


def _written(path: list[str]) -> str:
    text, at = "", 0
    while at < len(path):
        if tuple(path[at : at + 2]) in _WRAPPERS and at:
            text, at = f"{text}[]", at + 2
        else:
            text, at = f"{text}.{path[at]}" if text else path[at], at + 1
    return text


def _type(element: Mapping[int, Thing]) -> str:
    logical = element.get(10)
    if isinstance(logical, dict) and 1 in logical:
        return "string"
    converted = _CONVERTED.get(_whole(element.get(6))) if 6 in element else None
    kind = _whole(element.get(1))
    return converted or (_TYPES[kind] if 0 <= kind < len(_TYPES) else "?")


def _keys(pairs: Thing | None) -> Iterator[str]:
    for pair in pairs if isinstance(pairs, list) else ():
        if isinstance(pair, dict):
            yield _text(pair.get(1, b""))


def _whole(value: Thing | None) -> int:
    return value if isinstance(value, int) else 0


def _text(value: Thing) -> str:
    return value[:200].decode("utf-8", "backslashreplace") if isinstance(value, bytes) else ""


FORMAT = Format(name="parquet", suffixes=(".parquet",), matches=matches, read=read, examine=examine, is_model=False)
