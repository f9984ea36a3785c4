"""A file on this machine as a Source."""

from __future__ import annotations

import errno
import os
import stat
from types import TracebackType

from weigh.core.errors import SourceError

NEAR = 1 << 12  # bytes read at once where fewer are asked for: what is asked for next mostly stands behind


class FileSource:
    """A regular file, read by position. A context manager; `path` is what reports call it.

    Reads copy rather than map: a file cut short by another program while it is mapped kills the process.
    """

    def __init__(self, file: str | os.PathLike[str], *, path: str | None = None) -> None:
        """Raises SourceError for what is missing, not a regular file, or may not be read."""
        self.path = os.fspath(file) if path is None else path
        try:
            # Not blocking: opening a FIFO that nobody writes would wait for ever.
            self._descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        except (OSError, ValueError) as error:
            raise unreadable(error, self.path) from error
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._descriptor)
            raise SourceError("not_a_file", path=self.path)
        self.size = status.st_size
        self._near = (0, b"")

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, fewer than `length` only at the end. Raises SourceError."""
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        start, near = self._near
        if not start <= offset <= offset + length <= start + len(near):
            if length > NEAR:
                return self._read(offset, length)
            start, near = self._near = offset, self._read(offset, min(NEAR, self.size - offset))
        return near[offset - start : offset - start + length]

    def _read(self, offset: int, length: int) -> bytes:
        try:
            data = _read_at(self._descriptor, length, offset)
            while len(data) < length and (more := _read_at(self._descriptor, length - len(data), offset + len(data))):
                data += more
        except OSError as error:
            raise unreadable(error, self.path) from error
        return data

    def close(self) -> None:
        """Give the descriptor back; a second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> FileSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def unreadable(error: OSError | ValueError, path: str) -> SourceError:
    """The operating system's refusal as one of ours."""
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return SourceError("missing", path=path)
        case PermissionError():
            return SourceError("no_permission", path=path)
        case IsADirectoryError():
            return SourceError("not_a_file", path=path)
        case OSError(errno=int(number)) if number == errno.ELOOP:
            return SourceError("link_loop", path=path)
        case OSError(strerror=str(reason)):
            return SourceError("cannot_read", path=path, reason=reason)
        case _:
            return SourceError("cannot_read", path=path, reason=str(error))


def _read_at(descriptor: int, length: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, length, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)
    return os.read(descriptor, length)
