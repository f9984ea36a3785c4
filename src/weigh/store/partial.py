"""What came so far of a file, on disk and in its hashes."""

from __future__ import annotations

import errno
import os
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from weigh.core.errors import SourceError
from weigh.store.digest import Digest, Known, Running, begin, matches, pieces_of

RANGE = 16 << 20  # bytes that are fetched again where one of them is wrong


class Partial:
    """A file that grows at its end. A context manager.

    What was there is read once, to have its hashes; from then on they follow what is appended, in a thread of their
    own while the next bytes come. They are kept at every RANGE, so that what is replaced later costs no reading of what
    is before it.
    """

    def __init__(self, path: str, digest: Digest, nbytes: int | None) -> None:
        """`nbytes` is what the whole will have, None where nobody says. Raises SourceError."""
        self.path = path
        self.nbytes = nbytes
        self.offset = 0
        self._digest = digest
        self._states: list[Running] = []
        self._running = begin(digest, nbytes)
        self._hashed = 0
        self._hasher = ThreadPoolExecutor(max_workers=1)
        self._hashing: Future[None] | None = None
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
        """At the end, at most `room` bytes, which must stay as they are until the next call. Raises SourceError."""
        self._settle()
        self._hashing = self._hasher.submit(self._absorb, data)
        try:
            os.lseek(self._descriptor, self.offset, os.SEEK_SET)
            written = 0
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError as error:
            raise cannot_write(error, self.path) from error
        self.offset += len(data)

    def replace(self, start: int, data: memoryview) -> bool:
        """Put other bytes at a multiple of RANGE, if they differ; True if they did. Raises SourceError."""
        self._settle()
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
        self._settle()
        os.ftruncate(self._descriptor, 0)
        self._hash_from(0)

    def known(self) -> Known:
        """What the bytes so far are."""
        self._settle()
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
        self._hasher.shutdown()
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
        self._hashed = start
        self._states.append(self._running.copy())
        for piece in pieces_of(self._descriptor, start, None):
            self._absorb(piece)
        self.offset = self._hashed

    def _absorb(self, data: memoryview) -> None:
        """Pieces divide a RANGE, so that none goes beyond the end of one."""
        self._running.update(data)
        self._hashed += len(data)
        if self._hashed % RANGE == 0 and self._hashed // RANGE == len(self._states):
            self._states.append(self._running.copy())

    def _settle(self) -> None:
        """The hashes are those of every byte that was appended."""
        if self._hashing is not None:
            self._hashing.result()
            self._hashing = None


def cannot_write(error: OSError, path: str) -> SourceError:
    """The operating system's refusal as one of ours."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return SourceError("store.full", path=path)
    return SourceError("store.cannot_write", path=path, reason=error.strerror or str(error))
