"""A name cut at its separators, each run with its place."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

CJK = "\u3400-\u9fff"
_ASCII = r"\s\-/:@,()\[\]{}|·+._"
_WIDE = f"{_ASCII}‐–—：，、（）{CJK}"
# A dot or an underscore between digits belongs to the number; every other separator parts two words.
_WORD = r"[^{0}]+(?:(?<=[0-9])[._](?=[0-9])[^{0}]+)*"
_PLAIN = re.compile(_WORD.replace("{0}", _ASCII), re.ASCII)


class Token(NamedTuple):
    """A run between separators: its place, its lower case, and the separator in front of it."""

    start: int
    end: int
    low: str
    before: str


def runs_of(text: str) -> Iterator[re.Match[str]]:
    """The runs between separators, and where Chinese meets other writing; linear in the text."""
    return (_PLAIN if text.isascii() else _wide()).finditer(text)


@functools.cache
def _wide() -> re.Pattern[str]:
    """Compiled when first needed: its large character class takes milliseconds."""
    return re.compile(f"[{CJK}]+|{_WORD.replace('{0}', _WIDE)}")
