"""The access log of a private hub: one line a request, in a file that may be rotated away."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from weigh.core.errors import SourceError

LOOK = 1.0  # seconds between two looks whether the file is still there
Write = Callable[[str], None]


def log_to(path: str | None) -> Write | None:
    """`-` is standard error. Lines of several processes are whole: each is one write. Raises SourceError."""
    if path is None:
        return None
    if path == "-":
        return lambda line: print(line, file=sys.stderr, flush=True)
    kept = _Kept(path)
    return kept.write


class _Kept:
    """A file that is opened anew where its name leads to another or to none."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = self._opened()
        self._looked = time.monotonic()

    def write(self, line: str) -> None:
        now = time.monotonic()
        if now - self._looked > LOOK:
            self._looked = now
            self._follow()
        os.write(self._file, f"{line}\n".encode("utf-8", "backslashreplace"))

    def _follow(self) -> None:
        try:
            if os.path.samestat(os.stat(self._path), os.fstat(self._file)):
                return
        except OSError:
            pass
        try:
            new = self._opened()
        except SourceError:
            return  # the old one is better than none
        os.close(self._file)
        self._file = new

    def _opened(self) -> int:
        try:
            return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o640)
        except OSError as error:
            raise SourceError("mirror.log", path=self._path, reason=error.strerror or str(error)) from error
