"""Thrift's compact protocol: fields by number, built as far as they are wanted, the rest walked past.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from weigh.codecs.cursor import Cursor
from weigh.core.errors import Malformed, OverBudget

MOST_DEPTH = 12
MOST_ITEMS = 400_000
MOST_TEXT = 1 << 16  # of one string; a longer one is cut

Thing: TypeAlias = bool | int | float | bytes | list["Thing"] | Mapping[int, "Thing"]
_TRUE, _FALSE = 1, 2  # the type holds the value
_FIXED = {_TRUE: 0, _FALSE: 0, 3: 1, 7: 8}
_LONG_LIST = 15


class Reader:
    """One walk over a struct and what is left of its budget. Raises FormatError."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor
        self._items = MOST_ITEMS

    def fields(self) -> Iterator[tuple[int, int]]:
        """Number and type of each field of a struct; whoever asks must take its value or skip it."""
        last = 0
        while kind := self._spend(self.cursor.u8("field")):
            last = last + (kind >> 4) if kind >> 4 else _unzigzag(self.varint())
            yield last, kind & 15

    def value(self, kind: int, depth: int = 0) -> Thing:
        """The value of a field, built."""
        self._check(depth)
        match kind:
            case 1 | 2:
                return kind == _TRUE
            case 3:
                return self.cursor.u8("byte")
            case 4 | 5 | 6:
                return _unzigzag(self.varint())
            case 7:
                return float(self.cursor.unpack("d", "double"))
            case 8:
                return self._binary()
            case 9 | 10:
                count, of = self.list_head()
                return [self._element(of, depth + 1) for _ in range(count)]
            case 12:
                return {number: self.value(inner, depth + 1) for number, inner in self.fields()}
            case _:
                self.skip(kind, depth)
                return {}

    def skip(self, kind: int, depth: int = 0) -> None:
        """Past the value of a field."""
        self._check(depth)
        match kind:
            case 1 | 2 | 3 | 7:
                self.cursor.skip(_FIXED[kind], "number")
            case 4 | 5 | 6:
                self.varint()
            case 8:
                self.cursor.skip(self.varint(), "binary")
            case 9 | 10:
                self._skip_list(depth)
            case 11:
                self._skip_map(depth)
            case 12:
                for _, inner in self.fields():
                    self.skip(inner, depth + 1)
            case _:
                raise Malformed("thrift.type", path=self.cursor.source.path, offset=self.cursor.offset, type=kind)

    def list_head(self) -> tuple[int, int]:
        """How many elements a list has, and their type."""
        head = self.cursor.u8("list")
        count = head >> 4 if head >> 4 != _LONG_LIST else self.varint()
        return self.cursor.count(count, at_least=1, what="list"), head & 15

    def varint(self) -> int:
        """Seven bits a byte, the lowest first."""
        value = shift = 0
        while shift < 70:
            byte = self.cursor.u8("varint")
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise Malformed("thrift.varint", path=self.cursor.source.path, offset=self.cursor.offset)

    def _element(self, kind: int, depth: int) -> Thing:
        self._spend(1)
        return self.cursor.u8("bool") == _TRUE if kind in (_TRUE, _FALSE) else self.value(kind, depth)

    def _skip_element(self, kind: int, depth: int) -> None:
        self._spend(1)
        if kind in (_TRUE, _FALSE):
            self.cursor.skip(1, "bool")
        else:
            self.skip(kind, depth)

    def _skip_list(self, depth: int) -> None:
        count, of = self.list_head()
        for _ in range(count):
            self._skip_element(of, depth + 1)

    def _skip_map(self, depth: int) -> None:
        count = self.cursor.count(self.varint(), at_least=1, what="map")
        kinds = self.cursor.u8("map types") if count else 0
        for _ in range(count):
            self._skip_element(kinds >> 4, depth + 1)
            self._skip_element(kinds & 15, depth + 1)

    def _binary(self) -> bytes:
        length = self.varint()
        data = self.cursor.bytes(min(length, MOST_TEXT), "binary")
        self.cursor.skip(max(length - MOST_TEXT, 0), "binary")
        return data

    def _spend(self, kind: int) -> int:
        self._items -= 1
        if self._items < 0:
            raise OverBudget(
                "too_many", path=self.cursor.source.path, offset=self.cursor.offset, what="thrift", count=MOST_ITEMS,
                most=MOST_ITEMS,
            )  # fmt: skip
        return kind

    def _check(self, depth: int) -> None:
        if depth > MOST_DEPTH:
            raise OverBudget("thrift.depth", path=self.cursor.source.path, offset=self.cursor.offset, most=MOST_DEPTH)


def _unzigzag(number: int) -> int:
    return number >> 1 ^ -(number & 1)
