"""A term of model names explained: which words tell it, the figures beside them, where they are from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from weigh.core.saying import NOTHING, Hole
from weigh.core.value import Value

Page = Literal[
    "quantisations", "suffixes", "formats", "grammar", "scenarios", "kinds", "tasks", "entries", "errata", "trends"
]
Figure = str | int | float | tuple[str, ...]


class Explanation(Value, frozen=True, kw_only=True):
    """`entry` is a section of `text/explain/PAGE.*.toml`; `values` fill the holes of its sentences.

    `term` is the spelling that stands for all; `see_also` names other readings of what was asked, and neighbours.
    """

    term: str
    kind: str
    page: Page
    entry: str
    values: Mapping[str, Hole] = NOTHING
    facts: Mapping[str, Figure] = NOTHING
    see_also: tuple[str, ...] = ()
    sources: tuple[str, ...]
