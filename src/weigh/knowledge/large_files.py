"""Suffixes of files that hubs keep in large file storage whatever their size."""

from __future__ import annotations

from functools import cache

from weigh.knowledge import Row, read_table


class LargeFile(Row, frozen=True, kw_only=True):
    """`id` is the suffix."""


@cache
def large_files() -> frozenset[str]:
    """In lower case, without the dot."""
    return frozenset(row.id for row in read_table("large_files", LargeFile))
