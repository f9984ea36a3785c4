"""Bytes already in hand as a Source: a member of an archive, a sample in a test."""

from __future__ import annotations

from weigh.core.errors import WeighError


class MemorySource:
    """`path` is what reports call it. A view is not copied."""

    def __init__(self, data: bytes | memoryview, *, path: str) -> None:
        self.path = path
        self.size = len(data)
        self._data = data

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, fewer than `length` only at the end."""
        return bytes(self._data[offset : offset + max(length, 0)]) if offset >= 0 else b""


class CutSource(MemorySource):
    """The beginning of what is longer, or of what is damaged further on: as much as could be unpacked."""


class FailedSource:
    """A member that could not be opened: whoever reads it is told why."""

    def __init__(self, error: WeighError, *, path: str, size: int = 0) -> None:
        self.path = path
        self.size = size
        self._error = error

    def read(self, offset: int, length: int) -> bytes:
        """Nothing. Raises the error that opening it met."""
        raise self._error
