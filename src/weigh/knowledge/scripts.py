"""What a language is written with: the characters by which a vocabulary shows that it was made for it."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.knowledge import Row, read_table


class ScriptRow(Row, frozen=True, kw_only=True):
    """`id` is the language, `words` what names call it; `ranges` are code points of a script of its own, `letters`
    those that only some of the languages in a shared script have.
    """

    script: str
    words: tuple[str, ...]
    ranges: tuple[tuple[int, int], ...] = ()
    letters: str | None = None


@functools.cache
def scripts() -> Mapping[str, ScriptRow]:
    """Rows by language."""
    return {row.id: row for row in read_table("scripts", ScriptRow)}
