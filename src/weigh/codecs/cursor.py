"""A bounded walk through a file: the one place where lengths are checked."""

from __future__ import annotations

import functools
import re
import struct
from typing import Literal

from weigh.core.errors import Malformed, OverBudget, Truncated
from weigh.core.source import Source
from weigh.sources.distant import distant

WINDOW = 1 << 18
MOST_BYTES = 256 << 20  # in all, for one walk
MOST_ITEMS = 20_000_000  # elements, strings and keys, for one walk
MOST_AT_ONCE = 64 << 20  # one string or block

_BATCH = 2048
_SHORT = 64  # strings below this many bytes are walked by the compiled pattern
_GROWTH, _FIGURES = 1.75, 6  # how a vocabulary's later strings compare to its first; bytes of figures to each
_SAMPLE = 1 << 20

ByteOrder = Literal["little", "big"]
Bytes = bytes  # the method of this name hides the type inside the class


class Cursor:
    """Reads forward from `offset` to `end`, through a window, within a budget of bytes and of items.

    Every number comes with what it is (`what`, the specification's own word), so that an error can say so.
    Raises Truncated past the end, Malformed for a length that cannot be, OverBudget past the budget.
    """

    __slots__ = ("_base", "_distant", "_items", "_order", "_read", "_window", "end", "offset", "source")

    def __init__(self, source: Source, *, offset: int = 0, end: int | None = None, order: ByteOrder = "little") -> None:
        self.source = source
        self.offset = offset
        self.end = source.size if end is None else min(end, source.size)
        self._order: ByteOrder = order
        self._distant = distant(source)
        self._window = b""
        self._base = offset
        self._read = 0
        self._items = 0

    @property
    def left(self) -> int:
        """Bytes between here and the end."""
        return self.end - self.offset

    @property
    def order(self) -> ByteOrder:
        """How numbers are read."""
        return self._order

    def in_order(self, order: ByteOrder) -> None:
        """From here on, read numbers in this byte order."""
        self._order = order

    def bytes(self, length: int, what: str) -> Bytes:
        """The next `length` bytes."""
        start = self.offset - self._base
        if start >= 0 and start + length <= len(self._window) and length >= 0:
            self.offset += length
            return self._window[start : start + length]
        self._check(length, what)
        if length > MOST_AT_ONCE:
            raise OverBudget(
                "too_long", path=self.source.path, offset=self.offset, what=what, length=length, most=MOST_AT_ONCE
            )
        if length > WINDOW:
            data = self._fetch(self.offset, length, what)
        else:
            self._fill(max(length, 1), what)
            data = self._window[:length]
        self.offset += length
        return data

    def skip(self, length: int, what: str) -> None:
        """Go past `length` bytes without reading them."""
        self._check(length, what)
        self.offset += length

    def align(self, alignment: int, what: str) -> None:
        """Go to the next multiple of `alignment` from the start of the file."""
        self.skip(-self.offset % alignment, what)

    def u8(self, what: str) -> int:
        """An unsigned byte."""
        return self.bytes(1, what)[0]

    def u16(self, what: str) -> int:
        """Two bytes."""
        return int.from_bytes(self.bytes(2, what), self._order)

    def u32(self, what: str) -> int:
        """Four bytes."""
        return int.from_bytes(self.bytes(4, what), self._order)

    def u64(self, what: str) -> int:
        """Eight bytes."""
        return int.from_bytes(self.bytes(8, what), self._order)

    def unpack(self, code: str, what: str) -> int | float | bool:
        """One number by its `struct` code (`b`, `f`, `d`, `?` ...)."""
        codec = _codec(("<" if self._order == "little" else ">") + code)
        value: int | float | bool = codec.unpack(self.bytes(codec.size, what))[0]
        return value

    def count(self, number: int, *, at_least: int, what: str) -> int:
        """`number` items of at least so many bytes each: can they be there, and may we walk them?"""
        if number < 0 or number * at_least > self.left:
            raise Malformed("count", path=self.source.path, offset=self.offset, what=what, count=number, left=self.left)
        self._items += number
        if self._items > MOST_ITEMS:
            raise OverBudget(
                "too_many", path=self.source.path, offset=self.offset, what=what, count=number, most=MOST_ITEMS
            )
        return number

    def line(self, what: str, *, most: int = 1 << 16) -> Bytes:
        """The bytes up to the next newline, which is passed but not returned."""
        taken = b""
        while (end := self._line_end()) < 0:
            if len(taken) > most or self.left == 0:
                raise Malformed("no_newline", path=self.source.path, offset=self.offset, what=what)
            taken += self.bytes(min(self.left, 256), what)
        return taken + self.bytes(end + 1, what)[:-1]

    def _line_end(self) -> int:
        """How far the next newline is, -1 if not in the next 256 bytes."""
        self._fill_to(256, "line")
        start = self.offset - self._base
        end = self._window.find(b"\n", start, start + 256)
        return end - start if end >= 0 else -1

    def text(self, length: int, what: str) -> str:
        """UTF-8 of `length` bytes; what is no UTF-8 becomes escapes, never an error."""
        return self.bytes(length, what).decode("utf-8", "backslashreplace")

    def skip_strings(self, number: int, what: str, *, width: Literal[4, 8] = 8) -> None:
        """Go past `number` strings, each led by its length in `width` bytes. Call `count` first."""
        pattern = _strings(width) if self._order == "little" else None
        longest = _BATCH * (width + _SHORT)
        if self._distant is not None:
            self._announce(number, width)
        while number >= _BATCH and pattern is not None:
            self._fill_to(longest, what)
            match = pattern.match(self._window, self.offset - self._base)
            if match is None:
                self._skip_plainly(_BATCH, what, width=width)
            else:
                self.offset = self._base + match.end()
            number -= _BATCH
        self._skip_plainly(number, what, width=width)

    def _announce(self, number: int, width: int) -> None:
        """Tell a source far away how far so many strings will reach, going by those at hand.

        The first strings of a vocabulary are its shortest, and figures of four bytes a string follow it.
        """
        assert self._distant is not None
        here = self.source.read(self.offset, min(self._distant.at_hand(self.offset), self.left, _SAMPLE))
        at = seen = 0
        while seen < number and (end := at + width + int.from_bytes(here[at : at + width], self._order)) <= len(here):
            at, seen = end, seen + 1
        payload = _GROWTH * (at / seen - width) if seen else 0
        self._distant.expect(self.offset, int(number * (width + payload + _FIGURES)) + WINDOW)

    def _skip_plainly(self, number: int, what: str, *, width: int) -> None:
        order, end = self._order, self.end
        for _ in range(number):
            start = self.offset - self._base
            if start < 0 or start + width > len(self._window):
                self._fill_to(width, what)
                start = self.offset - self._base
                if start + width > len(self._window):
                    self._check(width, what)
            length = int.from_bytes(self._window[start : start + width], order)
            if length > end - self.offset - width:
                self._check(length + width, what)
            self.offset += width + length

    def _check(self, length: int, what: str) -> None:
        if length < 0:
            raise Malformed("negative", path=self.source.path, offset=self.offset, what=what, length=length)
        if length > self.left:
            raise Truncated(
                "past_end", path=self.source.path, offset=self.offset, what=what, length=length, left=max(self.left, 0)
            )

    def _fill(self, least: int, what: str) -> None:
        """Make the window start here, with `least` bytes in it; of a source far away no more than is at hand."""
        ahead = WINDOW if self._distant is None else min(WINDOW, self._distant.at_hand(self.offset))
        self._window = self._fetch(self.offset, max(least, min(ahead, self.left)), what)
        self._base = self.offset

    def _fill_to(self, length: int, what: str) -> None:
        """Have `length` bytes in the window from here on, or all that are left."""
        if self._base + len(self._window) - self.offset < min(length, self.left) or self.offset < self._base:
            self._fill(min(length, self.left), what)

    def _fetch(self, offset: int, length: int, what: str) -> Bytes:
        self._read += length
        if self._read > MOST_BYTES:
            raise OverBudget("too_much", path=self.source.path, offset=offset, what=what, most=MOST_BYTES)
        data = self.source.read(offset, length)
        if len(data) < length:  # the file shrank while we read it
            raise Truncated("past_end", path=self.source.path, offset=offset, what=what, length=length, left=len(data))
        return data


@functools.cache
def _codec(code: str) -> struct.Struct:
    return struct.Struct(code)


@functools.cache
def _strings(width: int) -> re.Pattern[bytes]:
    """`_BATCH` strings shorter than `_SHORT`, each led by its length; possessive, so it never looks back."""
    zeros = rb"\x00{%d}" % (width - 1)
    one = b"|".join(b"%b%b.{%d}" % (re.escape(bytes([length])), zeros, length) for length in range(_SHORT))
    return re.compile(rb"(?>%b){%d}+" % (one, _BATCH), re.DOTALL)
