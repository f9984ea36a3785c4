"""What Python code may call that reaches beyond the model: commands, code put together, the network, files."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.knowledge import Row, read_table

Deed = Literal["commands", "code", "unpickles", "network", "writes", "natively", "harmless"]


class PythonCall(Row, frozen=True, kw_only=True):
    """`id` is a dotted name, or `module.*` for every name below it; the longest that fits counts."""

    deed: Deed


@functools.cache
def python_calls() -> Mapping[str, PythonCall]:
    """Rows by id."""
    return {row.id: row for row in read_table("python_calls", PythonCall)}


def deed_of(dotted: str) -> Deed | None:
    """What calling this name does; None for what nobody listed."""
    table = python_calls()
    if (row := table.get(dotted)) is not None:
        return row.deed
    words = dotted.split(".")
    for count in range(len(words) - 1, 0, -1):
        if (row := table.get(".".join(words[:count]) + ".*")) is not None:
            return row.deed
    return None
