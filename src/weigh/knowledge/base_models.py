"""Base models by what a name says of them, each with its published shape."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.knowledge import Row, read_table


class BaseModelRow(Row, frozen=True, kw_only=True):
    """What the decoder reads in the model's own name, its published parameters in billions, and its shape under the
    keys of config.json; a pipeline of several networks has none. `base`: what a distilled model was made from.
    """

    parameters_b: float
    config: Mapping[str, int | bool | str]
    kind: str
    family: str | None = None
    version: str | None = None
    total_b: int | float | None = None
    active_b: int | float | None = None
    experts: int | None = None
    expert_b: int | float | None = None
    tier: tuple[str, ...] = ()
    base: tuple[str, ...] = ()
    function: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    date: str | None = None
    context_tokens: int | None = None
    language: tuple[str, ...] = ()


@functools.cache
def base_models() -> tuple[BaseModelRow, ...]:
    """Every row."""
    return read_table("base_models", BaseModelRow)
