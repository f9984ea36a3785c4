"""A symbolic link checked out as text: a file that holds nothing but a path."""

from __future__ import annotations

import re
from collections.abc import Iterator

from weigh.core.format import Format
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Source

MOST_BYTES = 1024
# One that leads up or starts here; else with two names at least, one of which begins with a letter.
_PATH = re.compile(rb"(?:\.\.?/)+(?:[\w.@+-]+/+)*[\w.@+-]+/?|(?=[\w.@+-]*/*[A-Za-z])(?:[\w.@+-]+/+)+[\w.@+-]+/?")


def matches(source: Source) -> bool:
    """One path, no line end: git writes links so where the file system has none."""
    return 3 < source.size <= MOST_BYTES and _PATH.fullmatch(source.read(0, MOST_BYTES)) is not None


def read(source: Source) -> Header:
    """Where it leads."""
    return Header(
        format="link-text", metadata={"target": source.read(0, MOST_BYTES).decode("ascii", "backslashreplace")}
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """The path, which nothing here follows."""
    yield Observation(kind="external_path", value=str(header.metadata.get("target", "")), offset=0)


FORMAT = Format(name="link-text", suffixes=(), matches=matches, read=read, examine=examine, is_model=False)
