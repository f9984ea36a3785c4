"""What a pickle may name: exact names that honest checkpoints use, and names that no checkpoint needs."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.knowledge import Row, read_table

Tier = Literal["safe", "dangerous", "unknown"]


class Import(Row, frozen=True, kw_only=True):
    """`id` is `module.qualname`, or `module.*` for every name below a module; `reason` is a key under `import.`."""

    tier: Literal["safe", "dangerous"]
    reason: str


@functools.cache
def imports() -> Mapping[str, Import]:
    """Rows by id."""
    return {row.id: row for row in read_table("imports", Import)}


def tier_of(module: str, name: str) -> Tier:
    """Exact rows first; then dangerous modules; a dotted name reaches through a module, which no checkpoint needs."""
    table = imports()
    if module == "?":
        return "dangerous"
    row = table.get(f"{module}.{name}")
    if row is not None:
        return row.tier
    words = f"{module}.{name}".split(".")
    if any(".".join(words[:count]) + ".*" in table for count in range(1, len(words))):
        return "dangerous"
    if any(f"{word}.*" in table for word in name.split(".")[:-1]):
        return "dangerous"  # collections._sys and its like: a dangerous module reached through an honest one
    return "unknown"
