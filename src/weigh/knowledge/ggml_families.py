"""What families of GGML files before GGUF write behind the magic."""

from __future__ import annotations

import functools
from typing import Literal

from weigh.knowledge import Row, read_table


class GgmlFamily(Row, frozen=True, kw_only=True):
    """`hparams`: the numbers in order, `floats` those that are no whole ones; `word`: a text that stands before them.

    `vocabulary`: no tokens, `n_vocab` of them at once (`plain`), a number first (`counted`), or each with a score.
    `repeated` is the number of layers for each of which the numbers of `each` stand, and `behind` after them.
    `filters`: a mel filter bank stands before the vocabulary; `windowed`: a window and so many numbers behind it.
    `version`: the least one. `order`: when to try it.
    """

    order: int
    magics: tuple[str, ...]
    hparams: tuple[str, ...]
    vocabulary: Literal["none", "plain", "counted", "scored", "scored-if-versioned"]
    filters: bool | None = None
    windowed: str | None = None
    floats: tuple[str, ...] = ()
    version: int | None = None
    word: str | None = None
    repeated: str | None = None
    each: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()


@functools.cache
def ggml_families() -> tuple[GgmlFamily, ...]:
    """Rows in the order to try them."""
    return tuple(sorted(read_table("ggml_families", GgmlFamily), key=lambda row: row.order))
