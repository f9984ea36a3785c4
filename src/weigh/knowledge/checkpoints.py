"""What networks call their tensors: the names and shapes that tell a part of a checkpoint, or an adapter's model."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.knowledge import Row, read_table


class CheckpointRow(Row, frozen=True, kw_only=True):
    """`has`: tensors that are there under one prefix, each with the lengths its shape begins with (None: any).

    `lacks`: tensors that are not. `slot`: rows of one slot exclude each other; the component itself where not given.
    `variant` is what the network is for beside its family's usual purpose.
    """

    family: str
    component: str
    has: Mapping[str, tuple[int | None, ...]]
    lacks: tuple[str, ...] = ()
    slot: str | None = None
    variant: str | None = None

    @property
    def weight(self) -> int:
        """How much it asks for: of two rows that hold, the one that asks for more is meant."""
        return sum(2 + len(shape) for shape in self.has.values()) + bool(self.lacks)


class AdapterRow(Row, frozen=True, kw_only=True):
    """`pattern`: what names of an adapter's tensors contain, `unless` what none of them does; `width`: of what the
    layer adapted takes in.
    """

    family: str
    pattern: str
    unless: str | None = None
    width: int | None = None


@functools.cache
def checkpoints() -> tuple[CheckpointRow, ...]:
    """All rows, those that ask for most first."""
    return tuple(sorted(read_table("checkpoints", CheckpointRow), key=lambda row: -row.weight))


@functools.cache
def adapters() -> tuple[AdapterRow, ...]:
    """All rows."""
    return read_table("adapters", AdapterRow)
