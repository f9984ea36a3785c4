"""FlatBuffers walked without a schema: tables, vectors and strings by offset, within a budget.

The layout is that of the project's "Internals" page. Offsets to tables, vectors and strings are unsigned and counted
from where they stand, so what they lead to lies behind them: no loop is possible where none is zero, and what many
offsets share is bounded by the number of tables that one walk may open.
"""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.errors import Malformed, OverBudget, Truncated
from weigh.core.source import Source
from weigh.core.value import Value

PAGE = 1 << 14
MOST_PAGES_KEPT = 512
MOST_PAGES_READ = 8192  # 128 MiB
MOST_TABLES = 60_000
MOST_FIELDS = 128  # of one table; what lies beyond belongs to no schema read here
MOST_NUMBERS = 1_000_000
MOST_TEXT = 1 << 16  # bytes of one string
MOST_TEXTS = 32 << 20  # bytes of all strings

_OFFSET = 4
_LEAST_VTABLE = 4


class Vector(Value, frozen=True, kw_only=True):
    """Where the elements begin in the file, and how many they are."""

    offset: int
    count: int


class Flat:
    """One buffer, from `base` to the end of the file: numbers at an offset, through pages that are kept."""

    __slots__ = ("_numbers", "_pages", "_read", "_tables", "_texts", "base", "source")

    def __init__(self, source: Source, *, base: int = 0) -> None:
        self.source = source
        self.base = base
        self._pages: dict[int, bytes] = {}
        self._read = self._tables = self._numbers = self._texts = 0

    def root(self) -> Table:
        """The table that the buffer is about. Raises FormatError."""
        return self.table(self.follow(self.base, "root"), "root")

    def identifier(self) -> bytes:
        """The four letters behind the root's offset; fewer where the file ends."""
        return self.source.read(self.base + 4, 4)

    def take(self, offset: int, length: int, what: str) -> bytes:
        """The bytes there. Raises Truncated past the end."""
        at = offset % PAGE
        if at + length <= PAGE and (page := self._pages.get(offset // PAGE)) is not None and length >= 0:
            found = page[at : at + length]
            if len(found) == length:
                return found
        if offset < 0 or length < 0 or offset + length > self.source.size:
            left = max(self.source.size - offset, 0)
            raise Truncated("past_end", path=self.source.path, offset=offset, what=what, length=length, left=left)
        pages = range(offset // PAGE, (offset + length - 1) // PAGE + 1)
        return b"".join(self._page(number, what) for number in pages)[at : at + length]

    def number(self, offset: int, width: int, what: str, *, signed: bool = False) -> int:
        """The whole number there, little-endian."""
        return int.from_bytes(self.take(offset, width, what), "little", signed=signed)

    def follow(self, offset: int, what: str) -> int:
        """Where the offset that stands there leads."""
        distance = self.number(offset, _OFFSET, what)
        if distance == 0:
            raise Malformed("flatbuffers.offset", path=self.source.path, offset=offset, what=what)
        return offset + distance

    def table(self, offset: int, what: str) -> Table:
        """The table there, its vtable checked."""
        self._tables += 1
        if self._tables > MOST_TABLES:
            raise self._too_many(offset, what, self._tables, MOST_TABLES)
        vtable = offset - self.number(offset, _OFFSET, what, signed=True)
        size = self.number(vtable, 2, what)
        if size < _LEAST_VTABLE or size % 2 or vtable < self.base:
            raise Malformed("flatbuffers.vtable", path=self.source.path, offset=offset, what=what)
        fields = self.take(vtable, min(size, _LEAST_VTABLE + 2 * MOST_FIELDS), what)[_LEAST_VTABLE:]
        return Table(self, offset, fields)

    def vector(self, offset: int, width: int, what: str) -> Vector:
        """The vector there; its elements of `width` bytes fit into the file."""
        count = self.number(offset, _OFFSET, what)
        left = self.source.size - offset - _OFFSET
        if count * width > left:
            raise Malformed("count", path=self.source.path, offset=offset, what=what, count=count, left=left)
        return Vector(offset=offset + _OFFSET, count=count)

    def text(self, offset: int, what: str) -> str:
        """The string there; what is no UTF-8 becomes escapes, what is longer than MOST_TEXT is cut."""
        vector = self.vector(offset, 1, what)
        length = min(vector.count, MOST_TEXT)
        self._texts += length
        if self._texts > MOST_TEXTS:
            raise self._too_many(offset, what, self._texts, MOST_TEXTS)
        return self.take(vector.offset, length, what).decode("utf-8", "backslashreplace")

    def numbers(self, vector: Vector, width: int, what: str, *, signed: bool = True) -> tuple[int, ...]:
        """All elements of a vector of whole numbers."""
        self._numbers += vector.count
        if self._numbers > MOST_NUMBERS:
            raise self._too_many(vector.offset, what, self._numbers, MOST_NUMBERS)
        data = self.take(vector.offset, vector.count * width, what)
        return tuple(
            int.from_bytes(data[at : at + width], "little", signed=signed) for at in range(0, len(data), width)
        )

    def _page(self, number: int, what: str) -> bytes:
        page = self._pages.get(number)
        if page is None:
            self._read += 1
            if self._read > MOST_PAGES_READ:
                most = MOST_PAGES_READ * PAGE
                raise OverBudget("too_much", path=self.source.path, offset=number * PAGE, what=what, most=most)
            if len(self._pages) >= MOST_PAGES_KEPT:
                self._pages.clear()
            page = self._pages[number] = self.source.read(number * PAGE, PAGE)
        return page

    def _too_many(self, offset: int, what: str, count: int, most: int) -> OverBudget:
        return OverBudget("too_many", path=self.source.path, offset=offset, what=what, count=count, most=most)


class Table:
    """A table: fields by their number in the schema; one that is left out has its default."""

    __slots__ = ("_fields", "flat", "offset")

    def __init__(self, flat: Flat, offset: int, fields: bytes) -> None:
        self.flat = flat
        self.offset = offset
        self._fields = fields

    @property
    def num_fields(self) -> int:
        """Fields that its vtable speaks of."""
        return len(self._fields) // 2

    def place(self, field: int) -> int | None:
        """Where the field stands; None if it is left out."""
        at = self._fields[field * 2 : field * 2 + 2]
        distance = int.from_bytes(at, "little")
        return self.offset + distance if distance else None

    def number(self, field: int, width: int, what: str, *, signed: bool = False, default: int = 0) -> int:
        """A whole number of `width` bytes."""
        place = self.place(field)
        return default if place is None else self.flat.number(place, width, what, signed=signed)

    def text(self, field: int, what: str) -> str | None:
        """A string."""
        place = self.place(field)
        return None if place is None else self.flat.text(self.flat.follow(place, what), what)

    def table(self, field: int, what: str) -> Table | None:
        """A table, or the value of a union."""
        place = self.place(field)
        return None if place is None else self.flat.table(self.flat.follow(place, what), what)

    def vector(self, field: int, width: int, what: str) -> Vector | None:
        """A vector of elements of `width` bytes, not yet read."""
        place = self.place(field)
        return None if place is None else self.flat.vector(self.flat.follow(place, what), width, what)

    def numbers(self, field: int, width: int, what: str, *, signed: bool = True) -> tuple[int, ...]:
        """A vector of whole numbers; empty if left out."""
        vector = self.vector(field, width, what)
        return () if vector is None else self.flat.numbers(vector, width, what, signed=signed)

    def tables(self, field: int, what: str) -> Iterator[Table]:
        """A vector of tables, opened one after another."""
        for place in self._places(field, what):
            yield self.flat.table(self.flat.follow(place, what), what)

    def texts(self, field: int, what: str) -> Iterator[str]:
        """A vector of strings."""
        for place in self._places(field, what):
            yield self.flat.text(self.flat.follow(place, what), what)

    def _places(self, field: int, what: str) -> range:
        vector = self.vector(field, _OFFSET, what)
        if vector is None:
            return range(0)
        return range(vector.offset, vector.offset + vector.count * _OFFSET, _OFFSET)
