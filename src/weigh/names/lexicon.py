"""Words of names as the tables spell them, found by the longest run of tokens; separators are equal.

It is made letter by letter, as names ask for them: one name needs a few.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from weigh.knowledge.naming import NamingFamily, QuantLabel, Suffix, naming_families, quantisations, suffixes
from weigh.names.tokens import Token

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_APART = re.compile(r"[ \-/:·.]+|_(?![0-9])|(?<![0-9])_")

Entry = NamingFamily | Suffix | QuantLabel


class Lexicon(NamedTuple):
    """`phrases` by their words with a space between; `longest`: for each first word the most words.

    `shadowed`: what a word says where the brand of that spelling is not the model's.
    """

    phrases: dict[str, Entry]
    shadowed: dict[str, Suffix]
    longest: dict[str, int]


def longest_phrase(tokens: Sequence[Token], at: int) -> tuple[Entry, int] | None:
    """The entry whose words stand here, the longest first, and how many tokens it takes."""
    low = tokens[at].low
    known = lexicon(low[0])
    most = known.longest.get(low)
    if most is None:
        return None
    for length in range(min(most, len(tokens) - at), 1, -1):
        entry = known.phrases.get(" ".join([token.low for token in tokens[at : at + length]]))
        if entry is not None:
            return entry, length
    alone = known.phrases.get(low)
    return (alone, 1) if alone is not None else None


def is_word(low: str) -> bool:
    """Is this a word of a phrase of the tables? One with a digit must be a phrase itself."""
    known = lexicon(low[0])
    return low in known.phrases or (low in known.longest and low.isalpha()) or low in _later_words()


def shadowed(low: str) -> Suffix | None:
    """What a brand's spelling says as an ordinary word."""
    return lexicon(low[0]).shadowed.get(low)


@functools.cache
def lexicon(letter: str) -> Lexicon:
    """What begins with this letter; where spellings meet, a family comes before a suffix, and that before a label."""
    phrases: dict[str, Entry] = {}
    hidden: dict[str, Suffix] = {}
    for spelling, entry in _by_letter().get(letter, ()):
        for key in _keys(spelling, apart=not isinstance(entry, QuantLabel)):
            before = phrases.get(key)
            if isinstance(before, Suffix) and isinstance(entry, NamingFamily):
                hidden[key] = before
            phrases[key] = entry
    longest: dict[str, int] = {}
    for phrase in phrases:
        first, count = phrase.partition(" ")[0], phrase.count(" ") + 1
        longest[first] = max(longest.get(first, 0), count)
    return Lexicon(phrases, hidden, longest)


@functools.cache
def _by_letter() -> dict[str, list[tuple[str, Entry]]]:
    """Every spelling of every row, by its first letter; of two families with one name the first has the name."""
    found: dict[str, list[tuple[str, Entry]]] = {}
    rows: tuple[QuantLabel | Suffix, ...] = (*quantisations(), *suffixes())
    for row in rows:
        for spelling in row.words:
            found.setdefault(spelling[0].lower(), []).append((spelling, row))
    named: set[str] = set()
    for family in naming_families():
        if family.name not in named and "unspoken" not in family.habits:
            named.add(family.name)
            found.setdefault(family.name[0].lower(), []).append((family.name, family))
        for spelling in (*family.aliases, *(family.fused or ())):
            found.setdefault(spelling[0].lower(), []).append((spelling, family))
    return found


@functools.cache
def _later_words() -> frozenset[str]:
    """Words of phrases that do not begin one."""
    spellings = [
        spelling for rows in _by_letter().values() for spelling, _ in rows if " " in spelling or "-" in spelling
    ]
    return frozenset(
        word for spelling in spellings for word in spelling.lower().replace("-", " ").split()[1:] if word.isalpha()
    )


def _keys(spelling: str, *, apart: bool) -> Iterator[str]:
    """`DeepSeek` is also `Deep Seek`, `Stable Diffusion` is also `stable-diffusion` and `StableDiffusion`."""
    key = spelling.lower()
    if not key.isalnum() or not key.isascii():
        key = " ".join(_APART.split(_wide_apart(key))).strip()
    yield key
    if not apart:
        return
    if " " in key:
        if key.isascii() and (fused := key.replace(" ", "")).isalnum() and not fused[-1].isdigit():
            yield fused
    elif len(words := _CAMEL.split(spelling)) > 1 and min(map(len, words)) > 1:
        yield " ".join(words).lower()


def _wide_apart(key: str) -> str:
    """`华佗gpt` is two words."""
    if key.isascii():
        return key
    return re.sub(r"(?<=[^\x00-\xff])(?=[a-z0-9])|(?<=[a-z0-9])(?=[^\x00-\xff])", " ", key)
