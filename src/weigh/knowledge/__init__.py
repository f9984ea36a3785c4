"""The tables of the field: JSON, one row a line, sorted by id, every row with its source; no decisions here."""

from __future__ import annotations

import functools
import os
from bisect import bisect_left
from typing import TypeVar

import msgspec

from weigh.core.errors import TableError
from weigh.core.value import Value

R = TypeVar("R", bound="Row")


class Row(Value, frozen=True, kw_only=True):
    """What every row has. `id` is unique in its table; `source` says where the fact is from."""

    id: str
    source: str


def read_table(name: str, row: type[R]) -> tuple[R, ...]:
    """The rows of `knowledge/NAME.json`, each checked against `row`. Raises TableError."""
    try:
        return msgspec.json.decode(_text(name), type=tuple[row, ...])  # type: ignore[valid-type]
    except msgspec.MsgspecError as error:
        raise TableError("table", table=name, problem=str(error)) from error


def find_row(name: str, row: type[R], id: str) -> R | None:
    """The row with this id, looked up by its line: a long table is not decoded for a few names. Raises TableError."""
    lines, wanted = _lines(name), b'{"id": "%b", ' % id.encode("utf-8", "replace")
    at = bisect_left(lines, wanted)
    if at == len(lines) or not lines[at].startswith(wanted):
        return None
    try:
        found = msgspec.json.decode(lines[at].rstrip(b","), type=row)
    except msgspec.MsgspecError as error:
        raise TableError("table", table=name, problem=str(error)) from error
    return found if found.id == id else None


@functools.cache
def _lines(name: str) -> list[bytes]:
    """The rows as they are written, in their order."""
    return _text(name).splitlines()[1:-1]


def _text(name: str) -> bytes:
    with open(os.path.join(os.path.dirname(__file__), f"{name}.json"), "rb") as file:
        return file.read()
