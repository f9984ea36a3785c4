"""What model names are made of: families, suffixes and quantisation labels."""

from __future__ import annotations

import functools
from typing import Literal

from weigh.knowledge import Row, read_table

Habit = Literal[
    "active_first", "month_first", "pt_pretrained", "pt_pytorch", "effective", "lone_size_active_with_experts",
    "budget", "base_is_size",
]  # fmt: skip


class NamingFamily(Row, frozen=True, kw_only=True):
    """A brand: its maker's spelling, its maker, what it is for, other spellings, and habits of its names."""

    name: str
    org: str
    kind: str
    function: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    habits: tuple[Habit, ...] = ()


class Suffix(Row, frozen=True, kw_only=True):
    """A word with a meaning: `value` is the canonical one, `words` are its spellings."""

    kind: Literal["function", "tier", "training", "language", "format"]
    value: str
    words: tuple[str, ...]


Need = Literal[
    "ada", "ampere", "apple", "arm", "blackwell", "calibration", "cuda", "hopper", "imatrix", "old_build", "training",
]  # fmt: skip


class QuantLabel(Row, frozen=True, kw_only=True):
    """A quantisation's label. `bits` is nominal, `bits_per_weight` what files of it take, scales included.

    Of a GGUF mix it is the average over a whole 8B file; where one block type makes the label, `block` weights take
    `block_bytes`. `perplexity_added` is measured on Llama-3-8B with WikiText-2. `also` holds the sources of the rest.
    """

    words: tuple[str, ...]
    method: str | None = None
    scheme: str | None = None
    bits: float | None = None
    bits_per_weight: float | None = None
    block: int | None = None
    block_bytes: int | None = None
    perplexity_added: float | None = None
    needs: tuple[Need, ...] = ()
    engines: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@functools.cache
def naming_families() -> tuple[NamingFamily, ...]:
    """Every family."""
    return read_table("naming_families", NamingFamily)


@functools.cache
def suffixes() -> tuple[Suffix, ...]:
    """Every suffix."""
    return read_table("suffixes", Suffix)


@functools.cache
def quantisations() -> tuple[QuantLabel, ...]:
    """Every quantisation label."""
    return read_table("quantisations", QuantLabel)
