"""Where bytes come from: the protocols that readers ask and `sources/` answers."""

from __future__ import annotations

from typing import Protocol

from weigh.core.value import Value


class Source(Protocol):
    """A file: so many bytes, readable at any offset."""

    @property
    def path(self) -> str:
        """How the file is called in reports (a member of an archive: `outer!/inner`)."""

    @property
    def size(self) -> int:
        """Bytes in all."""

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, fewer than `length` only at the end. Raises SourceError."""


class Entry(Value, frozen=True, kw_only=True):
    """One file of a Listing: its path below the root with `/`, its bytes, where its link points if it is one."""

    path: str
    nbytes: int
    link: str | None = None


class Listing(Protocol):
    """A folder, a repository or an archive: the files below one root, sorted by path."""

    @property
    def path(self) -> str:
        """How the root is called in reports."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All files, links that stay inside the root included."""

    def open(self, path: str) -> Source:
        """The file at `path`, one of the entries' paths. Raises SourceError."""

    def read(self, path: str, most: int) -> bytes:
        """The first `most` bytes of the file at `path`. Raises SourceError."""
