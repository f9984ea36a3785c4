"""The files of a folder that a search may look into."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Literal, NamedTuple

from weigh.core.errors import OverBudget, SourceError

MOST_FILES = 200_000
MOST_BYTES = 64 << 20
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"})

Kind = Literal["text", "image"]


class Stamp(NamedTuple):
    """What changes when a file does."""

    nbytes: int
    mtime_ns: int


class Document(NamedTuple):
    """`path` is relative to the folder, as the file system writes it."""

    path: bytes
    stamp: Stamp


def documents(root: str) -> list[Document]:
    """Regular files below `root`, sorted; what is hidden is left out, and links are not followed.

    Raises SourceError for a root that cannot be listed, OverBudget above MOST_FILES.
    """
    found: list[Document] = []
    pending = [os.fsencode(root)]
    start = len(os.path.join(pending[0], b""))
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(folder) as entries:
                listed = [entry for entry in entries if not entry.name.startswith(b".") and not entry.is_symlink()]
        except OSError as error:
            if folder == os.fsencode(root):
                raise SourceError("cannot_read", path=root, reason=error.strerror or str(error)) from error
            continue
        pending += (entry.path for entry in listed if entry.is_dir(follow_symlinks=False))
        found += _files(listed, start)
        if len(found) > MOST_FILES:
            raise OverBudget("too_many_files", path=root, most=MOST_FILES)
    return sorted(found)


def read(root: str, path: bytes) -> tuple[bytes, Stamp] | None:
    """The whole of it, and what it was like then; None for what is gone, no file any more, or above MOST_BYTES."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(os.path.join(os.fsencode(root), path), flags)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
                return None
            data = file.read(MOST_BYTES + 1)
    except OSError:
        return None
    return (data, Stamp(status.st_size, status.st_mtime_ns)) if len(data) <= MOST_BYTES else None


def kind_of(path: bytes) -> Kind:
    """By its suffix.

    >>> kind_of(b"a/b.PNG"), kind_of(b"notes")
    ('image', 'text')
    """
    return "image" if suffix_of(path) in _PICTURES else "text"


def suffix_of(path: bytes) -> str:
    """In small letters, with its point."""
    return os.path.splitext(os.fsdecode(path))[1].lower()


def _files(entries: list[os.DirEntry[bytes]], start: int) -> Iterator[Document]:
    for entry in entries:
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            yield Document(entry.path[start:], Stamp(status.st_size, status.st_mtime_ns))
