"""The files below a folder as a loader would open them, or one file alone: links to files followed, nothing read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Literal, NamedTuple

from weigh.core.errors import SourceError

MOST = 200_000
# What programs keep beside a model at its root, of which no loader opens anything.
OURS = frozenset({".cache", ".git", ".lock", ".mdl", ".msc", ".mv", ".weigh", "._____temp"})

Trouble = Literal["gone", "link", "special", "unreadable"]


class Member(NamedTuple):
    """`path` below the root with `/`, `place` where it is opened; `identity` is that of the bytes: two names of one
    file share it. `trouble` says why it is no file to read: a link to nothing or to a folder, a device, no permission.
    """

    path: str
    place: str
    nbytes: int = 0
    identity: tuple[int, int] = (0, 0)
    trouble: Trouble | None = None


def members(root: str) -> tuple[Member, ...]:
    """Sorted by path. Raises SourceError."""
    if os.path.isfile(root):
        return (_member(os.path.basename(root), root),)
    found = []
    for member in _walk(root):
        found.append(member)
        if len(found) > MOST:
            raise SourceError("verify.many", path=root, most=MOST)
    return tuple(sorted(found))


def _walk(root: str) -> Iterator[Member]:
    pending = [""]
    while pending:
        stem = pending.pop()
        try:
            entries = list(os.scandir(os.path.join(root, stem)))
        except OSError as error:
            if not stem:
                raise SourceError("cannot_read", path=root, reason=error.strerror or str(error)) from error
            yield Member(stem, os.path.join(root, stem), trouble="unreadable")
            continue
        for entry in entries:
            path = f"{stem}/{entry.name}" if stem else entry.name
            if path in OURS:
                continue
            if entry.is_dir(follow_symlinks=False):
                pending.append(path)
            else:
                yield _member(path, entry.path)


def _member(path: str, place: str) -> Member:
    try:
        status = os.stat(place)
    except OSError as error:
        gone = isinstance(error, FileNotFoundError) or os.path.islink(place)
        return Member(path, place, trouble="gone" if gone else "unreadable")
    if stat.S_ISDIR(status.st_mode):
        return Member(path, place, trouble="link")
    if not stat.S_ISREG(status.st_mode):
        return Member(path, place, trouble="special")
    return Member(path, place, status.st_size, (status.st_dev, status.st_ino))
