"""What Core ML calls the kinds of models and of layers, which its files give by number."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.knowledge import Row, read_table


class CoremlField(Row, frozen=True, kw_only=True):
    """`number` is the field that holds what is called `name`: a kind of `model` or of `layer`."""

    scope: Literal["model", "layer"]
    name: str
    number: int


@functools.cache
def coreml_models() -> Mapping[int, str]:
    """Kinds of models by field number."""
    return {row.number: row.name for row in _fields() if row.scope == "model"}


@functools.cache
def coreml_layers() -> Mapping[int, str]:
    """Kinds of neural network layers by field number."""
    return {row.number: row.name for row in _fields() if row.scope == "layer"}


def _fields() -> tuple[CoremlField, ...]:
    return read_table("coreml_fields", CoremlField)
