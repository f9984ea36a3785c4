"""Rows of somebody else's list, each checked by shape alone, so that one bad row costs no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from weigh.core.errors import Malformed

T = TypeVar("T")


class Tally:
    """How many rows were of a wrong shape."""

    def __init__(self) -> None:
        self.ill = 0

    def read(self, rows: Iterable[msgspec.Raw], shape: type[T]) -> Iterator[T]:
        """The rows that have the shape; the others are counted."""
        for row in rows:
            try:
                yield msgspec.json.decode(row, type=shape)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self.ill += 1


def decode_file(data: bytes, shape: type[T], *, path: str) -> T:
    """A file of a registry by its shape. Raises Malformed."""
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("registry", path=path, problem=str(error)) from error
