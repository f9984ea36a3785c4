"""The tables of the field: JSON, one row a line, sorted by id, every row with its source; no decisions here."""

from __future__ import annotations

import functools
import os
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
    data, wanted = _kept(name), b'{"id": "%b", ' % id.encode("utf-8", "replace")
    first, last = len(b"[\n"), len(data) - len(b"]\n")  # lines begin at both
    while first < last:
        start = data.rfind(b"\n", first, (first + last) // 2) + 1 or first
        end = data.find(b"\n", start) + 1
        if wanted <= data[start : start + len(wanted)]:
            last = start
        else:
            first = end
    if not data.startswith(wanted, first):
        return None
    try:
        found = msgspec.json.decode(data[first : data.find(b"\n", first)].rstrip(b","), type=row)
    except msgspec.MsgspecError as error:
        raise TableError("table", table=name, problem=str(error)) from error
    return found if found.id == id else None


@functools.cache
def _kept(name: str) -> bytes:
    return _text(name)


def _text(name: str) -> bytes:
    with open(os.path.join(os.path.dirname(__file__), f"{name}.json"), "rb") as file:
        return file.read()
