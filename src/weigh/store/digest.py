"""The hash by which a file is known, and the hashes of bytes as they come."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from weigh.core.value import Value

Kind = Literal["sha256", "git", "address"]
PIECE = 1 << 20
_HEX = re.compile(r"[0-9a-f]{40,64}")


class Digest(Value, frozen=True, kw_only=True):
    """`sha256` of the bytes, or `git`: the sha1 that git gives the blob. `address` is no hash of the content, only of
    where it is from: what nobody has told the hash of.
    """

    kind: Kind
    hex: str

    @property
    def key(self) -> str:
        """A name for files: no two contents share it."""
        return f"{self.kind}-{self.hex}"

    @property
    def is_of_content(self) -> bool:
        """Does it say what the bytes must be?"""
        return self.kind != "address"


class Known(NamedTuple):
    """What bytes turned out to be."""

    sha256: str
    git: str | None = None


class Running:
    """The hashes of the bytes so far; git's needs the size beforehand."""

    def __init__(self, nbytes: int | None) -> None:
        self._sha256 = hashlib.sha256()
        self._git = None
        if nbytes is not None:
            self._git = hashlib.sha1(usedforsecurity=False)
            self._git.update(b"blob %d\0" % nbytes)

    def update(self, data: memoryview | bytes) -> None:
        """So many bytes more."""
        self._sha256.update(data)
        if self._git is not None:
            self._git.update(data)

    def copy(self) -> Running:
        """The hashes up to here, to go on from later."""
        twin = Running(None)
        twin._sha256 = self._sha256.copy()
        twin._git = self._git.copy() if self._git is not None else None
        return twin

    def known(self) -> Known:
        """What the bytes so far are."""
        return Known(self._sha256.hexdigest(), self._git.hexdigest() if self._git is not None else None)


def begin(digest: Digest | None, nbytes: int | None) -> Running:
    """Hashes for a file of this digest: sha256 always, git's where it is known by that."""
    return Running(nbytes if digest is not None and digest.kind == "git" else None)


def matches(digest: Digest, known: Known) -> bool:
    """Are the bytes those that the digest is of? Nothing contradicts a mere address."""
    match digest.kind:
        case "sha256":
            return known.sha256 == digest.hex
        case "git":
            return known.git == digest.hex
        case _:
            return True


def of_file(path: str, digest: Digest) -> Known:
    """The hashes of a file that is here. Raises OSError."""
    with open(path, "rb", buffering=0) as file:
        running = begin(digest, os.fstat(file.fileno()).st_size)
        for piece in pieces_of(file.fileno(), 0, None):
            running.update(piece)
    return running.known()


def pieces_of(descriptor: int, start: int, stop: int | None) -> Iterator[memoryview]:
    """The bytes of an open file in order, from one buffer that is used again."""
    buffer = memoryview(bytearray(PIECE))
    while stop is None or start < stop:
        want = PIECE if stop is None else min(PIECE, stop - start)
        os.lseek(descriptor, start, os.SEEK_SET)
        count = os.readv(descriptor, [buffer[:want]]) if hasattr(os, "readv") else _read(descriptor, buffer[:want])
        if not count:
            return
        yield buffer[:count]
        start += count


def _read(descriptor: int, buffer: memoryview) -> int:
    data = os.read(descriptor, len(buffer))
    buffer[: len(data)] = data
    return len(data)


def digest_of_name(name: str) -> Digest | None:
    """A blob's name as the hash that it claims: 64 digits are a sha256, 40 git's."""
    if not _HEX.fullmatch(name) or len(name) not in (40, 64):
        return None
    return Digest(kind="sha256" if len(name) == 64 else "git", hex=name)
