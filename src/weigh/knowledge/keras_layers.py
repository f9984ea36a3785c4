"""The layers that Keras brings itself, of all its versions."""

from __future__ import annotations

import functools

from weigh.knowledge import Row, read_table


class KerasLayer(Row, frozen=True, kw_only=True):
    """`id` is the name of the class."""


@functools.cache
def keras_layers() -> frozenset[str]:
    """Their class names."""
    return frozenset(row.id for row in read_table("keras_layers", KerasLayer))
