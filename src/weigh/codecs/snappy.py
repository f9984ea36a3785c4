"""Snappy's raw blocks, unpacked within a bound.

The format is that of https://github.com/google/snappy/blob/main/format_description.txt.
"""

from __future__ import annotations

from weigh.core.errors import Malformed, OverBudget

MOST = 16 << 20  # bytes of one block, unpacked


def unpack(data: bytes, *, path: str, offset: int) -> bytes:
    """The block's content. Raises Malformed for what is no snappy, OverBudget for more than MOST bytes."""
    try:
        length, at = _length(data)
        if length > MOST:
            raise OverBudget("snappy_too_long", path=path, offset=offset, length=length, most=MOST)
        out = bytearray()
        while at < len(data) and len(out) <= length:
            at = _literal(data, at, out) if data[at] & 3 == 0 else _copy(data, at, out)
    except (IndexError, ValueError) as error:
        raise Malformed("snappy", path=path, offset=offset) from error
    if len(out) != length:
        raise Malformed("snappy", path=path, offset=offset)
    return bytes(out)


def _length(data: bytes) -> tuple[int, int]:
    length = 0
    for at in range(5):
        length |= (data[at] & 127) << 7 * at
        if data[at] < 128:
            return length, at + 1
    raise ValueError


def _literal(data: bytes, at: int, out: bytearray) -> int:
    length = data[at] >> 2
    at += 1
    if length >= 60:
        width = length - 59
        length = int.from_bytes(data[at : at + width], "little")
        at += width
    if at + length + 1 > len(data):
        raise ValueError
    out += data[at : at + length + 1]
    return at + length + 1


def _copy(data: bytes, at: int, out: bytearray) -> int:
    tag = data[at]
    if tag & 3 == 1:
        length, back, after = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | data[at + 1], at + 2
    else:
        width = 2 if tag & 3 == 2 else 4
        length, back, after = (tag >> 2) + 1, int.from_bytes(data[at + 1 : at + 1 + width], "little"), at + 1 + width
    if not 0 < back <= len(out):
        raise ValueError
    start = len(out) - back
    piece = out[start : start + length]
    out += (piece * (length // len(piece) + 1))[:length]  # a copy may reach into what it writes
    return after
