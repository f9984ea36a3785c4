"""Bytes already in hand as a Source: a member of an archive, a sample in a test."""

from __future__ import annotations


class MemorySource:
    """`path` is what reports call it."""

    def __init__(self, data: bytes, *, path: str) -> None:
        self.path = path
        self.size = len(data)
        self._data = data

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, fewer than `length` only at the end."""
        return self._data[offset : offset + max(length, 0)] if offset >= 0 else b""
