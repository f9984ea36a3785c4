"""The tables of the field: JSON, one row a line, sorted by id, every row with its source; no decisions here."""

from __future__ import annotations

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
    with open(os.path.join(os.path.dirname(__file__), f"{name}.json"), "rb") as file:
        data = file.read()
    try:
        return msgspec.json.decode(data, type=tuple[row, ...])  # type: ignore[valid-type]
    except msgspec.MsgspecError as error:
        raise TableError("table", table=name, problem=str(error)) from error
