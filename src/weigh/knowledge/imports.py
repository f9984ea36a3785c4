"""What a pickle may name: exact names that honest checkpoints use, and names that no checkpoint needs."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.knowledge import Row, find_row, read_table

Tier = Literal["safe", "dangerous", "unknown"]


class Import(Row, frozen=True, kw_only=True):
    """`id` is `module.qualname`, or `module.*` for every name below a module; `reason` is a key under `import.`."""

    tier: Literal["safe", "dangerous"]
    reason: str


# Reached under another module's name, as its own import of them.
_MODULES = frozenset(
    {
        "os",
        "sys",
        "subprocess",
        "builtins",
        "importlib",
        "posix",
        "ctypes",
        "pickle",
        "socket",
        "shutil",
        "pty",
        "runpy",
    }
)


@functools.cache
def imports() -> Mapping[str, Import]:
    """Rows by id."""
    return {row.id: row for row in read_table("imports", Import)}


def tier_of(module: str, name: str) -> Tier:
    """Exact rows first; then dangerous modules; then dotted names, by what they reach through."""
    if module == "?":
        return "dangerous"
    row = _row(f"{module}.{name}")
    if row is not None:
        return row.tier
    words = f"{module}.{name}".split(".")
    if any(_row(".".join(words[:count]) + ".*") for count in range(1, len(words))):
        return "dangerous"
    if _reaches_through(module, name.split(".")) or name.rpartition(".")[2].lstrip("_") in _MODULES:
        return "dangerous"
    return "unknown"


def _row(id: str) -> Import | None:
    return find_row("imports", Import, id)


def _reaches_through(module: str, words: list[str]) -> bool:
    """Is it what no checkpoint needs: another module's insides, an object's, or a method of what is itself honest?"""
    return (
        any(_row(f"{word.lstrip('_')}.*") for word in words[:-1])  # collections._sys.exit
        or any(len(word) > 4 and word.startswith("__") and word.endswith("__") for word in words)  # x.__globals__
        or any(_row(".".join([module, *words[:count]])) for count in range(1, len(words)))  # pathlib.Path.unlink
    )
