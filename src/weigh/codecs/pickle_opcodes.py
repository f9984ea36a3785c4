"""Every opcode of pickle protocols 0 to 5: its name and how its argument is read.

Names and arguments as in CPython's pickletools; what C pickle accepts is accepted here, and read to the same value.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from weigh.core.saying import Hole
from weigh.core.value import Value

KEPT = 1 << 16  # bytes of a string that are kept; the rest is walked past
MOST_LONG = 1 << 13  # bytes of an integer that are turned into one


class Blob(Value, frozen=True, kw_only=True):
    """Bytes in a pickle: where in the file they stand and how many they are."""

    offset: int
    nbytes: int


class More(Exception):
    """The argument reaches beyond the block: from its opcode on, so many bytes are wanted; None for a longer line."""

    def __init__(self, length: int | None) -> None:
        super().__init__(length)
        self.length = length


class Unfit(Exception):
    """The argument is not what its opcode wants: the key of the error that says so, and its holes."""

    def __init__(self, key: str, **holes: Hole) -> None:
        super().__init__(key)
        self.key, self.holes = key, holes


Argument = None | bool | int | float | str | Blob | tuple[str, str]
Read = tuple[Argument, int]  # and where in the block the argument ends, which may be beyond it
Reader = Callable[[bytes, int, int], Read]  # the block, where in it the argument begins, where in the file the block

_ESCAPE = rb"(?s)\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))"
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_PLAIN = (b"\\", b"'", b'"')  # stand for themselves; before anything else the backslash stays
_FLOAT = struct.Struct(">d")


def _unsigned(width: int) -> Reader:
    def read(block: bytes, at: int, base: int) -> Read:
        end = at + width
        if end > len(block):
            raise More(width)
        return int.from_bytes(block[at:end], "little"), end

    return read


def _byte(block: bytes, at: int, base: int) -> Read:
    if at >= len(block):
        raise More(1)
    return block[at], at + 1


def _int4(block: bytes, at: int, base: int) -> Read:
    if at + 4 > len(block):
        raise More(4)
    return int.from_bytes(block[at : at + 4], "little", signed=True), at + 4


def _float8(block: bytes, at: int, base: int) -> Read:
    if at + 8 > len(block):
        raise More(8)
    value: float = _FLOAT.unpack_from(block, at)[0]
    return value, at + 8


def _raw_line(block: bytes, at: int) -> tuple[bytes, int]:
    end = block.find(b"\n", at)
    if end < 0:
        raise More(None)
    return block[at:end], end + 1


def _line(block: bytes, at: int, base: int) -> tuple[str, int]:
    line, end = _raw_line(block, at)
    return line[:KEPT].decode("utf-8", "backslashreplace"), end


def _int_line(block: bytes, at: int, base: int) -> Read:
    line, end = _raw_line(block, at)
    if line in (b"00", b"01"):
        return line == b"01", end
    return _c_integer(line), end


def _long_line(block: bytes, at: int, base: int) -> Read:
    line, end = _raw_line(block, at)
    return _c_integer(line.removesuffix(b"L")), end


def _slot_line(block: bytes, at: int, base: int) -> Read:
    """A memo slot: always decimal, so that `017` is 17 here and 15 as a number."""
    line, end = _raw_line(block, at)
    return _integer(line, 10), end


def _c_integer(line: bytes) -> int:
    """As strtol reads it: a leading 0 is octal, 0x hexadecimal."""
    digits = line.strip().lstrip(b"+-")
    octal = digits[:1] == b"0" and digits.isdigit() and digits.strip(b"0") != b""
    return _integer(line, 8 if octal else 0 if digits[:2].lower() in (b"0x", b"0b", b"0o") else 10)


def _integer(line: bytes, radix: int) -> int:
    try:
        return int(line, radix)
    except ValueError as error:
        raise Unfit("pickle.number") from error


def _float_line(block: bytes, at: int, base: int) -> Read:
    line, end = _raw_line(block, at)
    try:
        return float(line), end
    except ValueError as error:
        raise Unfit("pickle.number") from error


def _string_line(block: bytes, at: int, base: int) -> Read:
    line, end = _raw_line(block, at)
    line = line.strip()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise Unfit("pickle.quotes")
    line = line[1:-1][:KEPT]
    if b"\\" in line:
        line = re.sub(_ESCAPE, _unescaped, line)
    return line.decode("utf-8", "backslashreplace"), end


def _unescaped(match: re.Match[bytes]) -> bytes:
    hexadecimal, octal, one = match.groups()
    if hexadecimal is not None:
        return bytes((int(hexadecimal, 16),))
    if octal is not None:
        return bytes((int(octal, 8) & 0xFF,))
    if one in _PLAIN:
        return bytes(one)
    return b"" if one == b"\n" else _ESCAPED.get(one, match[0])


def _unicode_line(block: bytes, at: int, base: int) -> Read:
    line, end = _raw_line(block, at)
    return line[:KEPT].decode("raw_unicode_escape", "replace"), end


def _text(width: int, *, signed: bool = False, unicode: bool = False) -> Reader:
    """A string led by its length; one too long to keep is kept by its beginning."""

    def read(block: bytes, at: int, base: int) -> Read:
        start = at + width
        if start > len(block):
            raise More(width)
        length = int.from_bytes(block[at:start], "little", signed=signed)
        if length < 0:
            raise Unfit("negative", what="length", length=length)
        kept = start + (length if length < KEPT else KEPT)
        if kept > len(block):
            raise More(kept - at)
        text = block[start:kept].decode("utf-8", "backslashreplace")
        if unicode and length <= KEPT and "\\x" in text and not _is_unicode(block[start:kept]):
            raise Unfit("pickle.utf8")
        return text, start + length

    return read


def _is_unicode(data: bytes) -> bool:
    """As C pickle takes it, lone surrogates included."""
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _blob(width: int) -> Reader:
    def read(block: bytes, at: int, base: int) -> Read:
        start = at + width
        if start > len(block):
            raise More(width)
        length = int.from_bytes(block[at:start], "little")
        return Blob(offset=base + start, nbytes=length), start + length

    return read


def _long(width: int) -> Reader:
    def read(block: bytes, at: int, base: int) -> Read:
        start = at + width
        if start > len(block):
            raise More(width)
        length = int.from_bytes(block[at:start], "little", signed=width == 4)
        if length < 0:
            raise Unfit("negative", what="length", length=length)
        if length > MOST_LONG:
            return 0, start + length
        if start + length > len(block):
            raise More(width + length)
        return int.from_bytes(block[start : start + length], "little", signed=True), start + length

    return read


def _two_lines(block: bytes, at: int, base: int) -> Read:
    module, middle = _line(block, at, base)
    name, end = _line(block, middle, base)
    return (module, name), end


OPCODES: dict[int, tuple[str, Reader | None]] = {
    ord(code): (name, reader)
    for code, name, reader in (
        ("I", "INT", _int_line),
        ("J", "BININT", _int4),
        ("K", "BININT1", _byte),
        ("M", "BININT2", _unsigned(2)),
        ("L", "LONG", _long_line),
        ("\x8a", "LONG1", _long(1)),
        ("\x8b", "LONG4", _long(4)),
        ("S", "STRING", _string_line),
        ("T", "BINSTRING", _text(4, signed=True)),
        ("U", "SHORT_BINSTRING", _text(1)),
        ("B", "BINBYTES", _blob(4)),
        ("C", "SHORT_BINBYTES", _blob(1)),
        ("\x8e", "BINBYTES8", _blob(8)),
        ("\x96", "BYTEARRAY8", _blob(8)),
        ("\x97", "NEXT_BUFFER", None),
        ("\x98", "READONLY_BUFFER", None),
        ("N", "NONE", None),
        ("\x88", "NEWTRUE", None),
        ("\x89", "NEWFALSE", None),
        ("V", "UNICODE", _unicode_line),
        ("\x8c", "SHORT_BINUNICODE", _text(1, unicode=True)),
        ("X", "BINUNICODE", _text(4, unicode=True)),
        ("\x8d", "BINUNICODE8", _text(8, unicode=True)),
        ("F", "FLOAT", _float_line),
        ("G", "BINFLOAT", _float8),
        ("]", "EMPTY_LIST", None),
        ("a", "APPEND", None),
        ("e", "APPENDS", None),
        ("l", "LIST", None),
        (")", "EMPTY_TUPLE", None),
        ("t", "TUPLE", None),
        ("\x85", "TUPLE1", None),
        ("\x86", "TUPLE2", None),
        ("\x87", "TUPLE3", None),
        ("}", "EMPTY_DICT", None),
        ("d", "DICT", None),
        ("s", "SETITEM", None),
        ("u", "SETITEMS", None),
        ("\x8f", "EMPTY_SET", None),
        ("\x90", "ADDITEMS", None),
        ("\x91", "FROZENSET", None),
        ("0", "POP", None),
        ("2", "DUP", None),
        ("(", "MARK", None),
        ("1", "POP_MARK", None),
        ("g", "GET", _slot_line),
        ("h", "BINGET", _byte),
        ("j", "LONG_BINGET", _unsigned(4)),
        ("p", "PUT", _slot_line),
        ("q", "BINPUT", _byte),
        ("r", "LONG_BINPUT", _unsigned(4)),
        ("\x94", "MEMOIZE", None),
        ("\x82", "EXT1", _byte),
        ("\x83", "EXT2", _unsigned(2)),
        ("\x84", "EXT4", _int4),
        ("c", "GLOBAL", _two_lines),
        ("\x93", "STACK_GLOBAL", None),
        ("R", "REDUCE", None),
        ("b", "BUILD", None),
        ("i", "INST", _two_lines),
        ("o", "OBJ", None),
        ("\x81", "NEWOBJ", None),
        ("\x92", "NEWOBJ_EX", None),
        ("\x80", "PROTO", _byte),
        (".", "STOP", None),
        ("\x95", "FRAME", _unsigned(8)),
        ("P", "PERSID", _line),
        ("Q", "BINPERSID", None),
    )
}
