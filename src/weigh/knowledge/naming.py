"""What model names are made of: families, suffixes and quantisation labels."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.knowledge import Row, read_table

# active_first: `1B-7B` names the active part first. experts_total: beside `16E` the one size is the active part.
# derived: made of others' models (built_upon), whose names stand before its own. yields: to any later brand.
# unspoken: the name alone, without a release mark, is an ordinary word. two_digits: `15` is 1.5. thousands: `50k` is
# a size. base_is_size: Base is a size class. budget: `80k` is for thinking. month_first: `0924` is September 2024.
Habit = Literal[
    "active_first", "base_is_size", "budget", "built_upon", "derived", "effective", "experts_total", "month_first",
    "thousands", "two_digits", "unspoken", "yields",
]  # fmt: skip


class NamingFamily(Row, frozen=True, kw_only=True):
    """A brand: its maker's spelling, its maker, what it is for, other spellings, and habits of its names.

    `words`: what a word means in this family alone (`v` -> `function:vision`). `fused`: spellings that say more than
    the brand (`sdxl` -> `version:XL`). `lines`: what a release mark says (`R1` -> `function:reasoning`).
    """

    name: str
    kind: str
    org: str | None = None
    function: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    habits: tuple[Habit, ...] = ()
    words: Mapping[str, str] | None = None
    fused: Mapping[str, str] | None = None
    lines: Mapping[str, str] | None = None


class Suffix(Row, frozen=True, kw_only=True):
    """A word with a meaning: `value` is the canonical one, `words` are its spellings.

    `field` false: a word that names no field of its kind (`merge`): it is explained, and left out of the Name.
    """

    kind: Literal["function", "tier", "training", "language", "format", "maker", "word"]
    value: str
    words: tuple[str, ...]
    field: bool = True


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
