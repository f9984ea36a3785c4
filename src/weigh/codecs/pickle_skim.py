"""Pickles of plain values, told in one compiled pass: no opcode in them imports, calls or shares what could swell."""

from __future__ import annotations

import functools
import re

from weigh.codecs.pickle_nodes import Stream
from weigh.codecs.pickle_opcodes import OPCODES
from weigh.core.source import Source

BLOCK = 1 << 20
LONGEST = 64  # strings below this many bytes are passed by the pattern, longer ones one by one

_STOP = 0x2E
_PLAIN = rb"""
    [N\x88\x89\]})ldusea\x8f\x90\x94] | \( (?! \({16} )
  | K. | M.. | J.{4} | G.{8} | \x80[\x00-\x05] | \x95.{8}
  | q. | r..[\x00-\x0f]\x00
"""
_TUPLES = rb" | [t\x85\x86\x87\x91]"
_SHARED = rb" | (?: h. | j..[\x00-\x0f]\x00 ) (?! [hj2ea] )"
_LONG = ("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8")
_LONG_CODES = {
    code: read for code, (name, read) in OPCODES.items() if name in (*_LONG, "LONG1", "LONG4") and read is not None
}


def skim(source: Source, offset: int) -> Stream | None:
    """The stream from `offset` to behind its STOP if it is one of plain values alone; None where only the exact
    machine can tell. Whether every value finds its place is not looked at: nothing of it would run."""
    for pattern in (_pattern(_TUPLES), _pattern(_SHARED)):
        end = _end(source, offset, pattern)
        if end is not None:
            stream = Stream(offset)
            stream.end = end
            head = source.read(offset, 2)
            stream.protocol = head[1] if head[:1] == b"\x80" and len(head) == 2 else 0
            return stream
    return None


def _end(source: Source, offset: int, pattern: re.Pattern[bytes]) -> int | None:
    base = at = offset
    block = b""
    while at < source.size:
        if (at - base >= len(block) - LONGEST and base + len(block) < source.size) or not block:
            base, block = at, source.read(at, BLOCK)
            if not block:
                return None
        match = pattern.match(block, at - base)
        at = base + match.end() if match is not None else at
        here = at - base
        if here >= len(block) or (here > len(block) - LONGEST and base + len(block) < source.size):
            continue
        if block[here] == _STOP:
            return at + 1
        passed = _passed(block, here, base)
        if passed is None or passed > source.size:
            return None
        at = passed
        if at - base > len(block):
            block = b""
    return None


def _passed(block: bytes, here: int, base: int) -> int | None:
    """Behind a string, bytes or number whose length stands before it; None for what is none of these."""
    read = _LONG_CODES.get(block[here])
    if read is None:
        return None
    width = {"BINUNICODE": 4, "BINBYTES": 4, "LONG4": 4, "BINUNICODE8": 8, "BINBYTES8": 8, "BYTEARRAY8": 8}.get(
        OPCODES[block[here]][0], 1
    )
    start = here + 1 + width
    if start > len(block):
        return None
    return base + start + int.from_bytes(block[here + 1 : start], "little")


@functools.cache
def _pattern(more: bytes) -> re.Pattern[bytes]:
    """A run of such opcodes; possessive, so that it never looks back."""
    short = b"|".join(rb"\x%02x.{%d}" % (length, length) for length in range(LONGEST))
    strings = rb" | [\x8cCU\x8a] (?: %b ) | X (?: %b )" % (short, short.replace(b".{", rb"\x00\x00\x00.{"))
    return re.compile(rb"(?: %b %b %b )*+" % (_PLAIN, strings, more), re.DOTALL | re.VERBOSE)
