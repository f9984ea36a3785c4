"""What a GGUF label promises of a network's blocks: which tensor types hold most bytes, how many bits a weight."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.knowledge import Row, read_table


class Mix(Row, frozen=True, kw_only=True):
    """`main`: types of which one must hold the most bytes; `bits_per_weight`: from, to."""

    main: tuple[str, ...]
    bits_per_weight: tuple[float, float]


@functools.cache
def gguf_mixes() -> Mapping[str, Mix]:
    """Rows by label."""
    return {row.id: row for row in read_table("gguf_mixes", Mix)}
