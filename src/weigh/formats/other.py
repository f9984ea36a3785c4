"""Known files that are no models: sounds, films, fonts, databases, tables, programs."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.magic import magic_of
from weigh.core.format import Format
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Source

KINDS = frozenset({"data", "database", "document", "font", "picture", "program", "sound", "table", "video"})


def matches(source: Source) -> bool:
    """First bytes of the table of magics, of a kind that no model is."""
    row = magic_of(source)
    return row is not None and row.kind in KINDS


def read(source: Source) -> Header:
    """Which of them it is."""
    row = magic_of(source)
    return Header(format="other", metadata={"looks_like": row.id, "kind": row.kind} if row is not None else {})


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """A program is code, whether or not something here runs it."""
    if header.metadata.get("kind") == "program":
        yield Observation(kind="code", value=str(header.metadata["looks_like"]))


FORMAT = Format(name="other", suffixes=(), matches=matches, read=read, examine=examine, is_model=False)
