"""Models known by the shape of their first bytes or by what an archive of theirs must hold."""

from __future__ import annotations

import functools

from weigh.knowledge import Row, read_table


class Likeness(Row, frozen=True, kw_only=True):
    """`members` are the files that an archive of it always has; without them, bytes tell. `tool` opens it."""

    tool: str
    members: tuple[str, ...] = ()


@functools.cache
def likenesses() -> dict[str, Likeness]:
    """By id, which has words under `magic.`."""
    return {row.id: row for row in read_table("likenesses", Likeness)}
