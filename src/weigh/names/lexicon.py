"""Words of names as the tables spell them, found by the longest run of tokens; separators are equal."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from weigh.knowledge.naming import NamingFamily, QuantLabel, Suffix, naming_families, quantisations, suffixes

# A dot or an underscore between digits belongs to the number.
_SEPARATOR = re.compile(r"[\s\-/:@,()\[\]{}|·+]+|\.(?!\d)|(?<!\d)\.|_(?!\d)|(?<!\d)_")

Entry = NamingFamily | Suffix | QuantLabel


class Token(NamedTuple):
    """A run between separators; `low` is its lower case, `before` the separator in front of it."""

    start: int
    end: int
    low: str
    before: str


class Lexicon(NamedTuple):
    """`phrases` by their tokens; `longest` for each first token the most tokens a phrase has."""

    phrases: Mapping[tuple[str, ...], Entry]
    longest: Mapping[str, int]


def tokens_of(text: str) -> list[Token]:
    """The text cut at separators, each token with its place."""
    found, start, before = [], 0, ""
    for match in _SEPARATOR.finditer(text):
        if match.start() > start:
            found.append(Token(start, match.start(), text[start : match.start()].lower(), before))
            before = ""
        before += match.group()
        start = match.end()
    if start < len(text):
        found.append(Token(start, len(text), text[start:].lower(), before))
    return found


def longest_phrase(tokens: Sequence[Token], at: int) -> tuple[Entry, int] | None:
    """The entry whose words stand here, the longest first, and how many tokens it takes."""
    known = lexicon()
    for length in range(min(known.longest.get(tokens[at].low, 0), len(tokens) - at), 0, -1):
        entry = known.phrases.get(tuple(token.low for token in tokens[at : at + length]))
        if entry is not None:
            return entry, length
    return None


@functools.cache
def lexicon() -> Lexicon:
    """All tables in one mapping; where two spell a word alike, the family comes before the suffix before the label."""
    phrases: dict[tuple[str, ...], Entry] = {}
    for label in quantisations():
        _add(phrases, label.words, label)
    for suffix in suffixes():
        _add(phrases, suffix.words, suffix)
    for family in naming_families():
        _add(phrases, (family.name, *family.aliases), family)
    longest: dict[str, int] = {}
    for phrase in phrases:
        longest[phrase[0]] = max(longest.get(phrase[0], 0), len(phrase))
    return Lexicon(phrases, longest)


def _add(phrases: dict[tuple[str, ...], Entry], words: Sequence[str], entry: Entry) -> None:
    for word in words:
        phrases[tuple(token.low for token in tokens_of(word))] = entry
