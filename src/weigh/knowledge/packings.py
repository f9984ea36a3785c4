"""Layouts of packed weights: which tensor holds the weights, and what lies beside it under the same stem."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.knowledge import Row, read_table


class Packing(Row, frozen=True, kw_only=True):
    """`holders`: last parts of the names of tensors that hold weights; `beside`: of scales, zero points, tables."""

    holders: tuple[str, ...]
    beside: tuple[str, ...]


@functools.cache
def packings() -> Mapping[str, Packing]:
    """Rows by method."""
    return {row.id: row for row in read_table("packings", Packing)}


@functools.cache
def holders_beside() -> Mapping[str, frozenset[str]]:
    """The last part of an accompanying tensor's name -> the holders it accompanies."""
    found: dict[str, set[str]] = {}
    for row in packings().values():
        for suffix in row.beside:
            found.setdefault(suffix, set()).update(row.holders)
    return {suffix: frozenset(holders) for suffix, holders in found.items()}
