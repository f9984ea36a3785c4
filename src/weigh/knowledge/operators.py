"""Operators that a format writes as numbers, by their names in its schema."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.knowledge import Row, read_table


class Operator(Row, frozen=True, kw_only=True):
    """`id` is the format, a dot and the operator's name; `number` is what stands in files."""

    number: int


@functools.cache
def operators() -> Mapping[str, Mapping[int, str]]:
    """For each format its operators by number."""
    found: dict[str, dict[int, str]] = {}
    for row in read_table("operators", Operator):
        format, _, name = row.id.partition(".")
        found.setdefault(format, {})[row.number] = name
    return found
