"""LZ4 frames unpacked by hand, up to a bound.

https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md
"""

from __future__ import annotations

from weigh.codecs.cursor import Cursor
from weigh.codecs.unpacking import Unpacked
from weigh.core.errors import FormatError, Malformed
from weigh.core.source import Source
from weigh.core.value import Value

MAGIC = b"\x04\x22\x4d\x18"
MOST_UNPACKED = 8 << 20  # it is done in Python
MOST_TOKENS = 300_000
_REACH = 1 << 16  # how far back a match may reach
_STORED = 0x80000000
_BLOCKS = {4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20}


class Frame(Value, frozen=True, kw_only=True):
    """What the frame's descriptor says; `start` is where its blocks begin."""

    nbytes: int | None = None
    block: int
    checksum: bool
    block_checksum: bool
    dictionary: bool
    start: int


def read_frame(source: Source) -> Frame:
    """The descriptor. Raises FormatError."""
    cursor = Cursor(source)
    cursor.skip(4, "magic")
    flags, block = cursor.u8("FLG"), cursor.u8("BD") >> 4 & 7
    if flags >> 6 != 1 or block not in _BLOCKS:
        raise Malformed("lz4.descriptor", path=source.path, offset=4)
    nbytes = cursor.u64("content size") if flags & 8 else None
    cursor.skip(4 if flags & 1 else 0, "dictionary id")
    cursor.skip(1, "header checksum")
    return Frame(
        nbytes=nbytes,
        block=_BLOCKS[block],
        checksum=bool(flags & 4),
        block_checksum=bool(flags & 16),
        dictionary=bool(flags & 1),
        start=cursor.offset,
    )


def unpack(source: Source, frame: Frame, *, most: int = MOST_UNPACKED) -> Unpacked:
    """The frame's bytes. Never raises FormatError: it is kept in what is returned."""
    cursor = Cursor(source, offset=frame.start)
    out = bytearray()
    error: FormatError | None = None
    tokens = [MOST_TOKENS]
    try:
        while len(out) <= most and tokens[0] > 0 and (length := cursor.u32("block size")):
            data = cursor.bytes(_checked(length & ~_STORED, frame, cursor), "block")
            if length & _STORED:
                out += data
            else:
                _block(data, out, most, tokens, cursor)
            cursor.skip(4 if frame.block_checksum else 0, "block checksum")
        if len(out) <= most and tokens[0] > 0:
            cursor.skip(4 if frame.checksum else 0, "content checksum")
    except FormatError as seen:
        error = seen
    whole = error is None and len(out) <= most and tokens[0] > 0
    return Unpacked(data=bytes(out[:most]), whole=whole, end=cursor.offset, error=error)


def _checked(length: int, frame: Frame, cursor: Cursor) -> int:
    if length > frame.block:
        raise Malformed("lz4.block", path=cursor.source.path, offset=cursor.offset)
    return length


def _block(data: bytes, out: bytearray, most: int, tokens: list[int], cursor: Cursor) -> None:
    """Sequences of literals and matches behind what is there already."""
    at, end = 0, len(data)
    try:
        while at < end and len(out) <= most and tokens[0] > 0:
            tokens[0] -= 1
            token = data[at]
            length, at = _length(data, at + 1, token >> 4)
            out += data[at : at + length]
            at += length
            if at >= end:
                return
            distance = data[at] | data[at + 1] << 8
            length, at = _length(data, at + 2, token & 15)
            _copy(out, distance, min(length + 4, most + 1), cursor)
    except IndexError as error:
        raise Malformed("lz4.block", path=cursor.source.path, offset=cursor.offset) from error


def _length(data: bytes, at: int, nibble: int) -> tuple[int, int]:
    if nibble < 15:
        return nibble, at
    start = at
    while data[at] == 255:
        at += 1
    return 15 + 255 * (at - start) + data[at], at + 1


def _copy(out: bytearray, distance: int, length: int, cursor: Cursor) -> None:
    """From so far back; what overlaps itself repeats."""
    if not 0 < distance <= min(len(out), _REACH):
        raise Malformed("lz4.block", path=cursor.source.path, offset=cursor.offset)
    piece = bytes(out[-distance:][:length])
    out += (piece * (length // len(piece) + 1))[:length] if len(piece) < length else piece
