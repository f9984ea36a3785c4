"""Universal Binary JSON, draft 12: plain values by their path, packed arrays walked past.

https://ubjson.org/
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from weigh.codecs.cursor import Cursor
from weigh.core.errors import Malformed, OverBudget

MOST_VALUES = 500_000
MOST_DEPTH = 64

Scalar = str | int | float | bool | None
_NUMBERS = {
    b"i": struct.Struct(">b"),
    b"U": struct.Struct(">B"),
    b"I": struct.Struct(">h"),
    b"l": struct.Struct(">i"),
    b"L": struct.Struct(">q"),
    b"d": struct.Struct(">f"),
    b"D": struct.Struct(">d"),
}
_CONSTANTS: dict[bytes, Scalar] = {b"Z": None, b"T": True, b"F": False}


class _Open:
    """A container that is being read: its path, whether it has keys, its elements' type and how many are left."""

    __slots__ = ("keyed", "left", "number", "path", "type")

    def __init__(self, path: str, *, keyed: bool, type: bytes | None, left: int | None) -> None:
        self.path, self.keyed, self.type, self.left = path, keyed, type, left
        self.number = 0


def scalars(cursor: Cursor) -> Iterator[tuple[str, Scalar]]:
    """Every plain value by its path of keys and numbers, joined by dots, until the first value ends.

    An array whose length is said is told as `path#` with that length. Raises FormatError.
    """
    opened: list[_Open] = []
    yield from _value(cursor, cursor.bytes(1, "type"), "", opened)
    for _ in range(MOST_VALUES):
        if not opened:
            return
        top = opened[-1]
        marker = _next(cursor, top)
        if marker is None:
            opened.pop()
            continue
        if top.keyed:
            path = _joined(top.path, cursor.text(_length(cursor, marker), "key"))
            marker = top.type or cursor.bytes(1, "type")
        else:
            path = _joined(top.path, str(top.number))
        top.number += 1
        yield from _value(cursor, marker, path, opened)
        if len(opened) > MOST_DEPTH:
            raise OverBudget("json.depth", path=cursor.source.path, offset=cursor.offset, most=MOST_DEPTH)
    raise OverBudget(
        "too_many", path=cursor.source.path, offset=cursor.offset, what="values", count=MOST_VALUES, most=MOST_VALUES
    )


def _next(cursor: Cursor, top: _Open) -> bytes | None:
    """The marker of the next element (of the length of the next key, where there are keys); None at the end."""
    if top.left is not None:
        if top.left == 0:
            return None
        top.left -= 1
        return cursor.bytes(1, "type") if top.keyed or top.type is None else top.type
    marker = cursor.bytes(1, "type")
    while marker == b"N":
        marker = cursor.bytes(1, "type")
    return None if marker == (b"}" if top.keyed else b"]") else marker


def _value(cursor: Cursor, marker: bytes, path: str, opened: list[_Open]) -> Iterator[tuple[str, Scalar]]:
    if marker in _NUMBERS:
        codec = _NUMBERS[marker]
        yield path, codec.unpack(cursor.bytes(codec.size, "number"))[0]
    elif marker in _CONSTANTS:
        yield path, _CONSTANTS[marker]
    elif marker == b"C":
        yield path, cursor.text(1, "character")
    elif marker in (b"S", b"H"):
        yield path, cursor.text(_length(cursor, cursor.bytes(1, "type")), "string")
    elif marker in (b"[", b"{"):
        yield from _container(cursor, path, opened, keyed=marker == b"{")
    else:
        raise Malformed("ubjson.type", path=cursor.source.path, offset=cursor.offset - 1, code=marker.hex())


def _container(cursor: Cursor, path: str, opened: list[_Open], *, keyed: bool) -> Iterator[tuple[str, Scalar]]:
    kind, count = None, None
    mark = cursor.source.read(cursor.offset, 1)
    if mark == b"$":
        kind = cursor.bytes(2, "type")[1:]
        mark = cursor.source.read(cursor.offset, 1)
    if mark == b"#":
        cursor.skip(1, "count")
        count = _length(cursor, cursor.bytes(1, "type"))
    elif kind is not None:
        raise Malformed("ubjson.type", path=cursor.source.path, offset=cursor.offset, code=kind.hex())
    if count is not None and not keyed:
        yield f"{path}#", count
    if count is not None and kind in _NUMBERS and not keyed:
        cursor.skip(count * _NUMBERS[kind].size, "numbers")
        return
    if count is not None:
        cursor.count(count, at_least=0 if kind in _CONSTANTS else 1, what="count")
    opened.append(_Open(path, keyed=keyed, type=kind, left=count))


def _length(cursor: Cursor, marker: bytes) -> int:
    codec = _NUMBERS.get(marker)
    if codec is None or marker in b"dD":
        raise Malformed("ubjson.type", path=cursor.source.path, offset=cursor.offset - 1, code=marker.hex())
    length: int = codec.unpack(cursor.bytes(codec.size, "length"))[0]
    if length < 0:
        raise Malformed("negative", path=cursor.source.path, offset=cursor.offset, what="length", length=length)
    return length


def _joined(path: str, key: str) -> str:
    joined = f"{path}.{key}" if path else key
    return joined if len(joined) < 1024 else path
