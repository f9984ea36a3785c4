"""What a program's store is to the inventory: where it lies, and what its files are to the program."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from weigh.core.value import Value

# file: part of a model. partial: an unfinished download that its owner goes on with. orphan: what its owner never
# uses again. dangling: a name that leads to nothing. ours: what a `--reclaim` that was cut off left.
Role = Literal["file", "partial", "orphan", "dangling", "ours"]
# never-resumed: its owner begins anew under another name. whole-is-there: the download it was for is done.
# unreferenced: no model names it. shared: as that, but its owner's own command must take it away.
Why = Literal["never-resumed", "whole-is-there", "unreferenced", "shared", "cut-off"]


class Item(NamedTuple):
    """One file of a store: `name` is its path within the model, `status` its own, never that of a link's aim.

    `claim` is the sha256 that its name says it has. `is_replaced` says that its owner puts another file in its place
    and never writes into it, so that it may share its bytes with others.
    """

    path: str
    model: str
    name: str
    status: os.stat_result
    role: Role = "file"
    claim: str | None = None
    is_replaced: bool = False
    revision: str | None = None
    why: Why | None = None


class Store(Value, frozen=True, kw_only=True):
    """`places`: of each group the first whose variables are set is looked at. `walk` gives what lies in one of them.

    `walk` follows no link out of the place, reads no weights, and calls nothing an orphan unless it saw everything
    that could name it.
    """

    id: str
    places: tuple[tuple[str, ...], ...]
    walk: Callable[[str], Iterator[Item]]
