"""What is to be fetched, and what it takes to fetch it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from weigh.core.value import Value
from weigh.sources.client import Client
from weigh.sources.request import Ask
from weigh.store.digest import Digest
from weigh.store.pace import Pace


class Want(Value, frozen=True, kw_only=True):
    """A file to fetch: how many bytes, which, and from where, the first source first.

    `is_fresh`: what came before may be of another content, for nobody tells them apart.
    """

    path: str
    nbytes: int | None = None
    digest: Digest
    sources: tuple[Ask, ...]
    is_fresh: bool = False


class Line(NamedTuple):
    """What it takes to fetch. `tell` hears how much of a file is here, `waits` that another process has it; `check`
    raises where all is to stop. `connections` are for one file that comes slowly by one; `patience` is how many
    seconds in all a busy server may keep us waiting for a file."""

    client: Client
    pace: Pace
    now: Callable[[], float]
    tell: Callable[[str, int], None]
    waits: Callable[[str], None]
    check: Callable[[], None]
    connections: int = 4
    patience: float = 900.0
