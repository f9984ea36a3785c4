"""What came so far of a file, on disk and in its hashes."""

from __future__ import annotations

import errno
import os
from types import TracebackType

from weigh.core.errors import SourceError
from weigh.store.digest import Digest, Known, Running, begin, matches, pieces_of

RANGE = 16 << 20  # bytes that are fetched again where one of them is wrong


class Partial:
    """A file that grows at its end. A context manager.

    What was there is read once, to have its hashes; from then on they follow what is appended. They are kept at
    every RANGE, so that what is replaced later costs no reading of what is before it.
    """

    def __init__(self, path: str, digest: Digest, nbytes: int | None) -> None:
        """`nbytes` is what the whole will have, None where nobody says. Raises SourceError."""
        self.path = path
        self.nbytes = nbytes
        self.offset = 0
        self._digest = digest
        self._states: list[Running] = []
        self._running = begin(digest, nbytes)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            if nbytes is None or os.fstat(self._descriptor).st_size > nbytes:
                os.ftruncate(self._descriptor, 0)
            self._hash_from(0)
        except OSError as error:
            raise cannot_write(error, path) from error

    @property
    def room(self) -> int:
        """How many bytes may be appended at once: up to the next RANGE."""
        left = RANGE - self.offset % RANGE
        return left if self.nbytes is None else min(left, self.nbytes - self.offset)

    @property
    def is_whole(self) -> bool:
        """Is every byte here?"""
        return self.nbytes is not None and self.offset == self.nbytes

    def append(self, data: memoryview) -> None:
        """At the end, at most `room` bytes. Raises SourceError."""
        try:
            os.lseek(self._descriptor, self.offset, os.SEEK_SET)
            written = 0
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError as error:
            raise cannot_write(error, self.path) from error
        self._absorb(data)

    def replace(self, start: int, data: memoryview) -> bool:
        """Put other bytes at a multiple of RANGE, if they differ; True if they did. Raises SourceError."""
        here = b"".join(bytes(piece) for piece in pieces_of(self._descriptor, start, start + len(data)))
        if here == data:
            return False
        try:
            os.lseek(self._descriptor, start, os.SEEK_SET)
            written = 0
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
            self._hash_from(start)
        except OSError as error:
            raise cannot_write(error, self.path) from error
        return True

    def restart(self) -> None:
        """Forget all of it."""
        os.ftruncate(self._descriptor, 0)
        self._hash_from(0)

    def known(self) -> Known:
        """What the bytes so far are."""
        return self._running.known()

    def is_right(self) -> bool:
        """Are these the bytes of the digest?"""
        return matches(self._digest, self.known())

    def finish(self, target: str) -> None:
        """Safe on disk, under its own name. Raises SourceError."""
        try:
            os.fsync(self._descriptor)
            self.close()
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(self.path, target)
        except OSError as error:
            raise cannot_write(error, target) from error

    def close(self) -> None:
        """Give the descriptor back; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Partial:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _hash_from(self, start: int) -> None:
        at = start // RANGE
        self._running = self._states[at].copy() if at < len(self._states) else begin(self._digest, self.nbytes)
        del self._states[at:]
        self.offset = start
        self._states.append(self._running.copy())
        for piece in pieces_of(self._descriptor, start, None):
            self._absorb(piece)

    def _absorb(self, data: memoryview) -> None:
        """Pieces divide a RANGE, so that none goes beyond the end of one."""
        self._running.update(data)
        self.offset += len(data)
        if self.offset % RANGE == 0 and self.offset // RANGE == len(self._states):
            self._states.append(self._running.copy())


def cannot_write(error: OSError, path: str) -> SourceError:
    """The operating system's refusal as one of ours."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SourceError("store.full", path=path)
    return SourceError("store.cannot_write", path=path, reason=error.strerror or str(error))
