"""What is gathered from a name on the way through it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from weigh.core.name import Part, Shard
from weigh.knowledge.naming import NamingFamily
from weigh.names.items import Item
from weigh.names.quants import Label
from weigh.names.tokens import Token


class Said(NamedTuple):
    """What one item, or `tokens` tokens from it on, say; `other` is the reading that was not taken."""

    kind: str
    value: str | None
    confidence: float = 0.9
    tokens: int = 1
    other: str | None = None


UNKNOWN = Said("unknown", None, 0.0)


class Draft(msgspec.Struct, kw_only=True):
    """The name's tokens and items, the brand that was chosen, and the fields as far as they are known."""

    text: str
    tokens: Sequence[Token]
    items: Sequence[Item]
    family: NamingFamily | None = None
    brand: int = -1  # the index of the item that names the family
    guessed: str | None = None  # a brand that no table knows
    renamed: bool = False  # the model's own name stands before the brand it is made from
    quantised: bool = False
    kind: str | None = None  # where a word of the brand says one
    tagged: bool = False
    version: str | None = None
    revision: str | None = None
    sizes: dict[str, float] = {}
    function: set[str] = set()
    tier: set[str] = set()
    training: set[str] = set()
    language: set[str] = set()
    labels: list[Label] = []
    format: str | None = None
    group: int | None = None
    context: int | None = None
    date: str | None = None
    shard: Shard | None = None
    parts: list[Part] = []
    others: list[Part] = []


def has(draft: Draft, habit: str) -> bool:
    """Has the brand this habit?"""
    return draft.family is not None and habit in draft.family.habits
