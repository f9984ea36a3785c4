"""Every opcode of pickle protocols 0 to 5: its name and how its argument is read.

Names and arguments as in CPython's pickletools; what C pickle accepts is accepted here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from weigh.codecs.cursor import Cursor
from weigh.core.errors import Malformed
from weigh.core.value import Value

KEPT = 1 << 16  # bytes of a string that are kept; the rest is walked past
MOST_LONG = 1 << 13  # bytes of an integer that are turned into one


class Blob(Value, frozen=True, kw_only=True):
    """Bytes in a pickle: where they stand and how many they are; `head` is all of them if they are few."""

    offset: int
    nbytes: int
    head: bytes


Argument = None | bool | int | float | str | Blob | tuple[str, str]
Reader = Callable[[Cursor], Argument]


def _nothing(cursor: Cursor) -> Argument:
    return None


def _unsigned(width: int) -> Reader:
    def read(cursor: Cursor) -> Argument:
        return int.from_bytes(cursor.bytes(width, "argument"), "little")

    return read


def _int4(cursor: Cursor) -> Argument:
    return int.from_bytes(cursor.bytes(4, "argument"), "little", signed=True)


def _float8(cursor: Cursor) -> Argument:
    value: float = struct.unpack(">d", cursor.bytes(8, "argument"))[0]
    return value


def _line(cursor: Cursor) -> str:
    return cursor.line("argument").decode("utf-8", "backslashreplace")


def _int_line(cursor: Cursor) -> Argument:
    at, line = cursor.offset, _line(cursor).strip()
    if line in ("00", "01"):
        return line == "01"
    return _integer(line, cursor, at)


def _long_line(cursor: Cursor) -> Argument:
    at, line = cursor.offset, _line(cursor).strip()
    return _integer(line.removesuffix("L"), cursor, at)


def _integer(line: str, cursor: Cursor, at: int) -> int:
    digits = line.lstrip("+-")
    octal = digits[:1] == "0" and digits.isdigit() and digits.strip("0") != ""  # strtol reads 017 as octal
    try:
        return int(line, 8 if octal else 0 if digits[:2].lower() in ("0x", "0b", "0o") else 10)
    except ValueError as error:
        raise Malformed("pickle.number", path=cursor.source.path, offset=at) from error


def _float_line(cursor: Cursor) -> Argument:
    at = cursor.offset
    try:
        return float(_line(cursor))
    except ValueError as error:
        raise Malformed("pickle.number", path=cursor.source.path, offset=at) from error


def _string_line(cursor: Cursor) -> Argument:
    line = cursor.line("argument").strip()
    if len(line) >= 2 and line[:1] == line[-1:] and line[:1] in (b"'", b'"'):
        line = line[1:-1]
    else:
        raise Malformed("pickle.quotes", path=cursor.source.path, offset=cursor.offset)
    return (
        line.decode("latin-1").encode("latin-1", "replace").decode("unicode_escape", "replace")
        if b"\\" in line
        else (line.decode("utf-8", "backslashreplace"))
    )


def _unicode_line(cursor: Cursor) -> Argument:
    return cursor.line("argument", most=1 << 20).decode("raw_unicode_escape", "replace")


def _text(width: int) -> Reader:
    """A string led by its length; one too long to keep is kept by its beginning."""

    def read(cursor: Cursor) -> Argument:
        length = int.from_bytes(cursor.bytes(width, "length"), "little")
        head = cursor.bytes(min(length, KEPT), "string")
        cursor.skip(length - len(head), "string")
        return head.decode("utf-8", "backslashreplace")

    return read


def _blob(width: int) -> Reader:
    def read(cursor: Cursor) -> Argument:
        length = int.from_bytes(cursor.bytes(width, "length"), "little")
        offset = cursor.offset
        head = cursor.bytes(min(length, KEPT), "bytes")
        cursor.skip(length - len(head), "bytes")
        return Blob(offset=offset, nbytes=length, head=head)

    return read


def _old_string(width: int) -> Reader:
    def read(cursor: Cursor) -> Argument:
        length = int.from_bytes(cursor.bytes(width, "length"), "little", signed=width == 4)
        head = cursor.bytes(min(length, KEPT), "string")
        cursor.skip(length - len(head), "string")
        return head.decode("utf-8", "backslashreplace")

    return read


def _long(width: int) -> Reader:
    def read(cursor: Cursor) -> Argument:
        length = int.from_bytes(cursor.bytes(width, "length"), "little", signed=width == 4)
        if length > MOST_LONG:
            cursor.skip(length, "long")
            return 0
        return int.from_bytes(cursor.bytes(length, "long"), "little", signed=True)

    return read


def _two_lines(cursor: Cursor) -> Argument:
    module = _line(cursor)
    return module, _line(cursor)


OPCODES: dict[int, tuple[str, Reader]] = {
    ord(code): (name, reader)
    for code, name, reader in (
        ("I", "INT", _int_line),
        ("J", "BININT", _int4),
        ("K", "BININT1", _unsigned(1)),
        ("M", "BININT2", _unsigned(2)),
        ("L", "LONG", _long_line),
        ("\x8a", "LONG1", _long(1)),
        ("\x8b", "LONG4", _long(4)),
        ("S", "STRING", _string_line),
        ("T", "BINSTRING", _old_string(4)),
        ("U", "SHORT_BINSTRING", _old_string(1)),
        ("B", "BINBYTES", _blob(4)),
        ("C", "SHORT_BINBYTES", _blob(1)),
        ("\x8e", "BINBYTES8", _blob(8)),
        ("\x96", "BYTEARRAY8", _blob(8)),
        ("\x97", "NEXT_BUFFER", _nothing),
        ("\x98", "READONLY_BUFFER", _nothing),
        ("N", "NONE", _nothing),
        ("\x88", "NEWTRUE", _nothing),
        ("\x89", "NEWFALSE", _nothing),
        ("V", "UNICODE", _unicode_line),
        ("\x8c", "SHORT_BINUNICODE", _text(1)),
        ("X", "BINUNICODE", _text(4)),
        ("\x8d", "BINUNICODE8", _text(8)),
        ("F", "FLOAT", _float_line),
        ("G", "BINFLOAT", _float8),
        ("]", "EMPTY_LIST", _nothing),
        ("a", "APPEND", _nothing),
        ("e", "APPENDS", _nothing),
        ("l", "LIST", _nothing),
        (")", "EMPTY_TUPLE", _nothing),
        ("t", "TUPLE", _nothing),
        ("\x85", "TUPLE1", _nothing),
        ("\x86", "TUPLE2", _nothing),
        ("\x87", "TUPLE3", _nothing),
        ("}", "EMPTY_DICT", _nothing),
        ("d", "DICT", _nothing),
        ("s", "SETITEM", _nothing),
        ("u", "SETITEMS", _nothing),
        ("\x8f", "EMPTY_SET", _nothing),
        ("\x90", "ADDITEMS", _nothing),
        ("\x91", "FROZENSET", _nothing),
        ("0", "POP", _nothing),
        ("2", "DUP", _nothing),
        ("(", "MARK", _nothing),
        ("1", "POP_MARK", _nothing),
        ("g", "GET", _int_line),
        ("h", "BINGET", _unsigned(1)),
        ("j", "LONG_BINGET", _unsigned(4)),
        ("p", "PUT", _int_line),
        ("q", "BINPUT", _unsigned(1)),
        ("r", "LONG_BINPUT", _unsigned(4)),
        ("\x94", "MEMOIZE", _nothing),
        ("\x82", "EXT1", _unsigned(1)),
        ("\x83", "EXT2", _unsigned(2)),
        ("\x84", "EXT4", _int4),
        ("c", "GLOBAL", _two_lines),
        ("\x93", "STACK_GLOBAL", _nothing),
        ("R", "REDUCE", _nothing),
        ("b", "BUILD", _nothing),
        ("i", "INST", _two_lines),
        ("o", "OBJ", _nothing),
        ("\x81", "NEWOBJ", _nothing),
        ("\x92", "NEWOBJ_EX", _nothing),
        ("\x80", "PROTO", _unsigned(1)),
        (".", "STOP", _nothing),
        ("\x95", "FRAME", _unsigned(8)),
        ("P", "PERSID", _line),
        ("Q", "BINPERSID", _nothing),
    )
}
