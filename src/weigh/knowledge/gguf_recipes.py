"""Which type each tensor of a GGUF gets under a label such as Q4_K_M, without an importance matrix."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.knowledge import Row, read_table

When = Literal[
    "always", "more_bits", "first_2", "first_4", "first_eighth", "first_sixteenth", "middle", "shared_4", "experts_8",
    "layers_80",
]  # fmt: skip
Choice = tuple[tuple[When, str], ...]


class Recipe(Row, frozen=True, kw_only=True):
    """`base` for every matrix; for a role the first choice whose condition holds. `shared_4`: four heads or more share
    a key; `more_bits`: the first and last eighth of the layers and every third between.
    """

    base: str
    output: Choice = ()
    token_embd: Choice = ()
    attn_q: Choice = ()
    attn_k: Choice = ()
    attn_v: Choice = ()
    attn_qkv: Choice = ()
    attn_output: Choice = ()
    ffn_up: Choice = ()
    ffn_down: Choice = ()
    ffn_experts: Choice = ()


@functools.cache
def gguf_recipes() -> Mapping[str, Recipe]:
    """By label."""
    return {row.id: row for row in read_table("gguf_recipes", Recipe)}
