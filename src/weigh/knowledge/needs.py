"""Words in which a need is put, in both scripts, and what each of them asks for."""

from __future__ import annotations

import functools
from typing import Literal

from weigh.knowledge import Row, read_table


class NeedRow(Row, frozen=True, kw_only=True):
    """What `words` ask for; a row that asks for nothing takes its words away from others.

    `device` is told as `fit` reads it and has `memory_gb` unless another figure is given; `is_card`: the figure is of
    its own memory, the row with the next smaller one stands for it. `needs_memory`: it means nothing without a figure.
    """

    words: tuple[str, ...]
    task: str | None = None
    kind: str | None = None
    field: str | None = None
    takes: str | None = None
    languages: tuple[str, ...] = ()
    licence: str | None = None
    device: str | None = None
    memory_gb: int | None = None
    is_card: bool | None = None
    needs_memory: bool | None = None
    train: Literal["full", "lora", "qlora"] | None = None
    prefer: Literal["speed", "quality", "memory"] | None = None
    hub: Literal["hf", "ms"] | None = None
    engine: str | None = None


@functools.cache
def needs() -> tuple[NeedRow, ...]:
    """Every row."""
    return read_table("needs", NeedRow)
