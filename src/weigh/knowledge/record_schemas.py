"""What the keys of a data set's records say it is made for."""

from __future__ import annotations

import functools

from weigh.knowledge import Row, read_table


class RecordSchema(Row, frozen=True, kw_only=True):
    """`all` of these keys, and one of `any` where given, and no keys but those and `rest` where given.

    `inside` names the key that holds a list of turns, each with the keys in `turns`; `list`: the record itself is one.
    """

    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    rest: tuple[str, ...] | None = None
    inside: str | None = None
    turns: tuple[str, ...] = ()
    list: bool | None = None

    @property
    def weight(self) -> int:
        """How much it asks for: of two that fit, the one that asks for more is meant."""
        return 2 * len(self.all) + len(self.turns) + (3 if self.any else 0) + (2 if self.list else 0)


@functools.cache
def record_schemas() -> tuple[RecordSchema, ...]:
    """Those that ask for most first."""
    return tuple(sorted(read_table("record_schemas", RecordSchema), key=lambda row: -row.weight))
