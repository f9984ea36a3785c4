"""MessagePack as a flat run of tokens: containers say how many come, bytes only where they are.

The layout is that of https://github.com/msgpack/msgpack/blob/master/spec.md
"""

from __future__ import annotations

import struct
from typing import Literal, NamedTuple

from weigh.codecs.cursor import Cursor
from weigh.core.errors import Malformed

MOST_TEXT = 1 << 20

_FLOATS = {0xCA: struct.Struct(">f"), 0xCB: struct.Struct(">d")}
_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}


class Token(NamedTuple):
    """`length` elements (pairs for a map) come after a container; bytes and extensions stand at `offset`."""

    kind: Literal["map", "array", "bytes", "extension", "value"]
    length: int = 0
    offset: int = 0
    type: int = 0
    value: str | int | float | bool | None = None


def read_token(cursor: Cursor) -> Token:
    """The next one. Raises FormatError."""
    at = cursor.offset
    code = cursor.u8("type")
    if code < 0x80 or code >= 0xE0:
        return Token("value", value=code if code < 0x80 else code - 256)
    if code < 0xA0:
        return _container(cursor, "map" if code < 0x90 else "array", code & 15)
    if code < 0xC0:
        return Token("value", value=cursor.text(code & 31, "string"))
    if code in _CONSTANTS:
        return Token("value", value=_CONSTANTS[code])
    if code in _FLOATS:
        number: float = _FLOATS[code].unpack(cursor.bytes(_FLOATS[code].size, "number"))[0]
        return Token("value", value=number)
    if 0xCC <= code <= 0xD3:
        width = 1 << (code & 3)
        data = cursor.bytes(width, "number")
        return Token("value", value=int.from_bytes(data, "big", signed=code >= 0xD0))
    return _led(cursor, code, at)


def _led(cursor: Cursor, code: int, at: int) -> Token:
    """What is led by a length of one, two or four bytes."""
    match code:
        case 0xC4 | 0xC5 | 0xC6:
            return _bytes(cursor, _length(cursor, code - 0xC4))
        case 0xC7 | 0xC8 | 0xC9:
            length = _length(cursor, code - 0xC7)
            return _extension(cursor, length)
        case 0xD4 | 0xD5 | 0xD6 | 0xD7 | 0xD8:
            return _extension(cursor, 1 << (code - 0xD4))
        case 0xD9 | 0xDA | 0xDB:
            length = _length(cursor, code - 0xD9)
            if length > MOST_TEXT:
                return _bytes(cursor, length)
            return Token("value", value=cursor.text(length, "string"))
        case 0xDC | 0xDD:
            return _container(cursor, "array", _length(cursor, code - 0xDB))
        case 0xDE | 0xDF:
            return _container(cursor, "map", _length(cursor, code - 0xDD))
    raise Malformed("msgpack.type", path=cursor.source.path, offset=at, code=code)


def _length(cursor: Cursor, power: int) -> int:
    """A length of `2 ** power` bytes, the largest first."""
    return int.from_bytes(cursor.bytes(1 << power, "length"), "big")


def _container(cursor: Cursor, kind: Literal["map", "array"], count: int) -> Token:
    cursor.count(count, at_least=2 if kind == "map" else 1, what=kind)
    return Token(kind, length=count)


def _bytes(cursor: Cursor, length: int) -> Token:
    at = cursor.offset
    cursor.skip(length, "bytes")
    return Token("bytes", length=length, offset=at)


def _extension(cursor: Cursor, length: int) -> Token:
    kind = cursor.u8("extension type")
    at = cursor.offset
    cursor.skip(length, "extension")
    return Token("extension", length=length, offset=at, type=kind)
