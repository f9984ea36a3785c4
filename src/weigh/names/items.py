"""The tokens of a name as items: the longest known phrase, label, figure or unknown word at each place."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from weigh.knowledge.naming import NamingFamily, QuantLabel, Suffix
from weigh.names.cut import is_digest, is_label
from weigh.names.figures import Figure, figures
from weigh.names.lexicon import lexicon, longest_phrase
from weigh.names.quants import Label, label_at, label_of
from weigh.names.tokens import Token

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_UUID_LENGTH = 35

Meaning = NamingFamily | Suffix | Label | tuple[Figure, ...] | None


Sort = Literal["brand", "word", "label", "figure", "unknown"]


class Item(NamedTuple):
    """`span` tokens from `at` on with one meaning: a brand, a word, a label, readings of a figure, or none."""

    at: int
    span: int
    sort: Sort
    meaning: Meaning
    low: str


def items_of(tokens: Sequence[Token], text: str) -> list[Item]:
    """Every token in one item; work grows with the number of tokens alone."""
    items: list[Item] = []
    digests = [match.span() for match in _UUID.finditer(text)] if len(text) > _UUID_LENGTH else []
    at, count = 0, len(tokens)
    while at < count:
        low = tokens[at].low
        sort, meaning, plain = _alone(low)
        if digests and any(start <= tokens[at].start < end for start, end in digests):
            item = Item(at, 1, "unknown", None, low)
        elif plain:
            item = Item(at, 1, sort, meaning, low)
        else:
            item = _item(tokens, at, text)
        items.append(item)
        at += item.span
    return items


@functools.lru_cache(maxsize=16384)
def _alone(low: str) -> tuple[Sort, Meaning, bool]:
    """What a word says alone, and whether nothing that stands behind it can change that."""
    if is_digest(low):
        return "unknown", None, True
    known = lexicon(low[0])
    entry = known.phrases.get(low)
    begins = known.longest.get(low, 0) > 1 or is_label(low) or low == "ud" or isinstance(entry, QuantLabel)
    if isinstance(entry, NamingFamily):
        return "brand", entry, not begins
    if isinstance(entry, Suffix):
        return "word", entry, not begins
    readings = figures(low)
    return ("figure", readings, not begins) if readings else ("unknown", None, not begins)


def _item(tokens: Sequence[Token], at: int, text: str) -> Item:
    low = tokens[at].low
    if (is_label(low) or low == "ud") and (labelled := label_at(tokens, at, text)) is not None:
        return Item(at, labelled[1], "label", labelled[0], low)
    if (phrase := longest_phrase(tokens, at)) is None:
        sort, meaning, _ = _alone(low)
        return Item(at, 1, sort, meaning, low)
    entry, count = phrase
    key = low if count == 1 else " ".join([token.low for token in tokens[at : at + count]])
    if isinstance(entry, QuantLabel):
        return Item(at, count, "label", label_of(entry, tokens[at].start, tokens[at + count - 1].end), key)
    return Item(at, count, "brand" if isinstance(entry, NamingFamily) else "word", entry, key)
