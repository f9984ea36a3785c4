"""What a file format is to the program: declared facts plus three functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Listing, Source
from weigh.core.value import Value


class Format(Value, frozen=True, kw_only=True):
    """`name` is a format identifier; `suffixes` is what files of it are usually called (a claim, never the proof).

    `matches` looks at content alone, cheaply, and never raises FormatError. `read` gives the Header or raises
    FormatError. `examine` streams what safety needs; it may raise FormatError after what it saw.
    `not_covered` are keys under `not_covered.`: what the examination does not look at, for the docs.
    `is_model` is False for what is recognised but holds no weights. `members` opens what a container holds, one
    file after another, each a Source called `outer!/inner`; it keeps to a budget and may raise FormatError at any step.
    """

    name: str
    suffixes: tuple[str, ...]
    matches: Callable[[Source], bool]
    read: Callable[[Source], Header]
    examine: Callable[[Source, Header], Iterator[Observation]]
    not_covered: tuple[str, ...] = ()
    is_model: bool = True
    members: Callable[[Source], Iterator[Source]] | None = None


class FolderFormat(Value, frozen=True, kw_only=True):
    """A folder that means one thing as a whole; its files are read by their own formats."""

    name: str
    matches: Callable[[Listing], bool]
    read: Callable[[Listing], Header]
    examine: Callable[[Listing, Header], Iterator[Observation]]
