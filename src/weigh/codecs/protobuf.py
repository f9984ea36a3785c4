"""Protocol Buffers without their schema: fields in turn, and past what nobody asks for without reading it.

The wire format is that of https://protobuf.dev/programming-guides/encoding: a tag (number and wire type), then a
varint, four or eight bytes, or a length and so many bytes.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TypeAlias

from weigh.core.errors import FormatError, Malformed, OverBudget, Truncated
from weigh.core.source import Source

MOST_FIELDS = 1_000_000  # of all messages entered in one walk
MOST_BYTES = 256 << 20  # read in one walk
MOST_TEXT = 1 << 16  # bytes of one string that are kept
MOST_PACKED = 1 << 16  # numbers of one packed field that are read

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_KNOWN = (VARINT, BYTES, FIXED32, FIXED64)
_FIRST_RUN, _RUN = 8, 512  # fields taken at once
_COST = 4  # of entering a message, in fields
_LARGE = 1 << 16  # bytes of a message whose fields are kept packed

Span: TypeAlias = tuple[int, int]  # where the bytes of a field begin and end
Field: TypeAlias = tuple[int, int, int, int]  # number, wire type, value (or where its bytes begin), where it ends
_Place: TypeAlias = tuple[int, int, int]  # wire type, value or where its bytes begin, where it ends

Bytes = bytes  # the method of this name hides the type inside the class

_NEAR, _FAR = 1 << 12, 1 << 18  # a window after a jump, and the most it grows to while fields follow each other
PAD = bytes(24)  # behind each window, so that a tag and a varint can be looked at without asking for the end


class Wire:
    """A file seen as messages: reads through one window, and keeps count of what was walked.

    Raises Truncated for a field that ends behind the file, Malformed for one that ends behind its message or is
    against the wire format, OverBudget past the budget.
    """

    __slots__ = ("_base", "_next", "_read", "_walked", "_width", "_window", "source")

    def __init__(self, source: Source) -> None:
        self.source = source
        self._window = b""
        self._base = self._next = 0
        self._width = _NEAR
        self._read = self._walked = 0

    def whole(self) -> Message:
        """The file as one message."""
        return self.message((0, self.source.size))

    def message(self, span: Span) -> Message:
        """What lies there as a message."""
        return Message(self, span)

    def fields(self, span: Span) -> Iterator[Field]:
        """Each field in turn; what has a length is not read."""
        return chain.from_iterable(self.runs(span))

    def runs(self, span: Span) -> Iterator[list[Field]]:
        """The same, many fields at once."""
        (at, end), most = span, _FIRST_RUN  # few at first: whoever only looks at a beginning wants no more read
        while at < end:
            fields, at, error = self._run(at, end, most)
            most = min(most * 4, _RUN)
            yield fields
            if error is not None:
                raise error

    def _run(self, at: int, end: int, most: int) -> tuple[list[Field], int, FormatError | None]:
        """The next fields, where they end, and what is wrong there: one loop, for nothing runs as often."""
        fields: list[Field] = []
        window, base = self._window, self._base
        last = self._next - 20
        try:
            while at < end and len(fields) < most:
                if not base <= at <= last:
                    self._fill(at)
                    window, base, last = self._window, self._base, self._next - 20
                index = at - base
                tag, value = window[index], window[index + 1]
                index += 2
                wire = tag & 7
                if tag >= 128 or value >= 128 or wire in _FIXED:
                    tag, value, index = self._long(window, index - 2)
                    wire = tag & 7
                after = base + index
                if wire == BYTES:
                    value, after = after, after + value
                if after > end or tag < 8 or wire not in _KNOWN:
                    raise self._wrong(at, after, end, tag)
                fields.append((tag >> 3, wire, value, after))
                at = after
        except FormatError as error:
            return fields, at, error
        finally:
            self._count_fields(len(fields), at)
        return fields, at, None

    def entered(self) -> None:
        """Keep count of a message that is taken apart: that costs as much as a few fields."""
        self._walked += _COST

    def _count_fields(self, count: int, at: int) -> None:
        self._walked += count
        if self._walked > MOST_FIELDS:
            raise OverBudget("protobuf.fields", path=self.source.path, offset=at, most=MOST_FIELDS)

    def _long(self, window: Bytes, index: int) -> tuple[int, int, int]:
        """Tag, value and what is behind them, where one of them is no single byte."""
        tag, index = self.varint(window, index)
        if tag & 7 in _FIXED:
            after = index + _FIXED[tag & 7]
            return tag, int.from_bytes(window[index:after], "little"), after
        value, index = self.varint(window, index)
        return tag, value, index

    def bytes(self, span: Span, *, most: int = MOST_TEXT) -> Bytes:
        """The first `most` bytes that lie there."""
        start, length = span[0], min(span[1] - span[0], most)
        index = start - self._base
        if index >= 0 and start + length <= self._next:
            return self._window[index : index + length]
        self._count(start, length)
        return self.source.read(start, length)

    def text(self, span: Span, *, most: int = MOST_TEXT) -> str:
        """UTF-8; what is no UTF-8 becomes escapes."""
        return self.bytes(span, most=most).decode("utf-8", "backslashreplace")

    def varints(self, span: Span) -> list[int]:
        """A packed field's numbers, unsigned. Raises Malformed where the last one has no end."""
        if span[1] - span[0] > MOST_PACKED:
            raise OverBudget("protobuf.packed", path=self.source.path, offset=span[0], most=MOST_PACKED)
        data = self.bytes(span, most=MOST_PACKED)
        numbers, index = [], 0
        padded = data + PAD
        while index < len(data):
            number, index = self.varint(padded, index, base=span[0])
            numbers.append(number)
        if index > len(data):
            raise Malformed("protobuf.varint", path=self.source.path, offset=span[0])
        return numbers

    def varint(self, window: Bytes, index: int, *, base: int | None = None) -> tuple[int, int]:
        """The number that begins there, kept to 64 bits, and the index behind it."""
        value, first = 0, index
        for shift in range(0, 70, 7):
            byte = window[index]
            index += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value & 0xFFFF_FFFF_FFFF_FFFF, index
        raise Malformed("protobuf.varint", path=self.source.path, offset=(self._base if base is None else base) + first)

    def _wrong(self, at: int, after: int, end: int, tag: int) -> FormatError:
        path, number = self.source.path, tag >> 3
        if tag & 7 not in _KNOWN:
            return Malformed("protobuf.wire", path=path, offset=at, wire=tag & 7)
        if after <= end:
            return Malformed("protobuf.number", path=path, offset=at)
        if end >= self.source.size:
            return Truncated("past_end", path=path, offset=at, what=f"field {number}", length=after - at, left=end - at)
        return Malformed("protobuf.past_end", path=path, offset=at, number=number, length=after - at, left=end - at)

    def _fill(self, at: int) -> None:
        """Make the window begin here: wider while the walk goes on where the last one ended, narrow after a jump."""
        follows = self._next - 64 <= at <= self._next
        self._width = min(self._width * 2, _FAR) if follows else _NEAR
        self._count(at, self._width)
        data = self.source.read(at, self._width)
        self._window, self._base, self._next = data + PAD, at, at + len(data)
        if at + len(data) >= self.source.size:
            self._next += 20  # the padding serves for what is not there

    def _count(self, at: int, length: int) -> None:
        self._read += length
        if self._read > MOST_BYTES:
            raise OverBudget("too_much", path=self.source.path, offset=at, what="protobuf", most=MOST_BYTES)


class Message:
    """One message's fields by number, walked once; a number that is not there is None or empty.

    Of a field given twice the last one counts, as in every reader.
    """

    __slots__ = ("_fields", "_inner", "span", "wire")

    def __init__(self, wire: Wire, span: Span) -> None:
        self.wire = wire
        self.span = span
        self._inner: dict[int, Message] = {}
        self._fields: Mapping[int, list[_Place] | array[int]] = (
            _packed(wire, span) if span[1] - span[0] > _LARGE else _listed(wire, span)
        )

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of the fields that are there."""
        return frozenset(self._fields)

    def spans(self, number: int) -> list[Span]:
        """Where each of these fields' bytes lie."""
        return [(value, after) for kind, value, after in self._each(number) if kind == BYTES]

    def span_of(self, number: int) -> Span | None:
        """Where the last one's bytes lie."""
        spans = self.spans(number)
        return spans[-1] if spans else None

    def messages(self, number: int) -> Iterator[Message]:
        """Each of these fields as a message, in turn."""
        return (Message(self.wire, span) for span in self.spans(number))

    def message(self, number: int) -> Message | None:
        """The last of them as a message, walked once however often it is asked for."""
        if number not in self._inner:
            span = self.span_of(number)
            if span is None:
                return None
            self._inner[number] = Message(self.wire, span)
        return self._inner[number]

    def text(self, number: int) -> str | None:
        """The last of them as text."""
        span = self.span_of(number)
        return self.wire.text(span) if span is not None else None

    def texts(self, number: int) -> list[str]:
        """All of them as text."""
        return [self.wire.text(span) for span in self.spans(number)]

    def unsigned(self, number: int) -> int | None:
        """The last of them as an unsigned number."""
        numbers = [value for kind, value, _ in self._each(number) if kind != BYTES]
        return numbers[-1] if numbers else None

    def whole(self, number: int) -> int | None:
        """The last of them as int64 or int32: a negative one is kept in 64 bits."""
        value = self.unsigned(number)
        return signed(value) if value is not None else None

    def wholes(self, number: int) -> list[int]:
        """All of them as int64, packed or one by one."""
        found: list[int] = []
        for kind, value, after in self._each(number):
            found += self.wire.varints((value, after)) if kind == BYTES else (value,)
        return [signed(value) for value in found]

    def real(self, number: int) -> float | None:
        """The last of them as float or double."""
        places = [(kind, value) for kind, value, _ in self._each(number) if kind in (FIXED32, FIXED64)]
        if not places:
            return None
        kind, value = places[-1]
        real: float
        (real,) = (
            struct.unpack("<f", struct.pack("<I", value))
            if kind == FIXED32
            else struct.unpack("<d", struct.pack("<Q", value))
        )
        return real

    def table(self, number: int) -> dict[str, Message]:
        """A map from text to messages: each entry has its key in 1 and its value in 2."""
        found: dict[str, Message] = {}
        for entry in self.messages(number):
            value = entry.message(2)
            if value is not None:
                found[entry.text(1) or ""] = value
        return found

    def stored(self, number: int) -> tuple[int, int] | None:
        """Where the first of these fields' contents begin, and how many bytes they all take."""
        places = [
            (value if kind == BYTES else after - _width(kind, value), after)
            for kind, value, after in self._each(number)
        ]
        return (places[0][0], sum(after - start for start, after in places)) if places else None

    def _each(self, number: int) -> Iterable[_Place]:
        fields = self._fields.get(number, ())
        if isinstance(fields, array):
            return zip(fields[::3], fields[1::3], fields[2::3], strict=True)
        return fields


def _listed(wire: Wire, span: Span) -> dict[int, list[_Place]]:
    found: dict[int, list[_Place]] = {}
    wire.entered()
    for number, kind, value, after in wire.fields(span):
        if number in found:
            found[number].append((kind, value, after))
        else:
            found[number] = [(kind, value, after)]
    return found


def _packed(wire: Wire, span: Span) -> dict[int, array[int]]:
    """The same for a message that may have a million fields."""
    found: dict[int, array[int]] = {}
    wire.entered()
    for run in wire.runs(span):
        for number in {field[0] for field in run}:
            flat = chain.from_iterable(field[1:] for field in run if field[0] == number)
            found.setdefault(number, array("Q")).extend(flat)
    return found


def signed(value: int) -> int:
    """64 unsigned bits as a signed number."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _width(kind: int, value: int) -> int:
    """Bytes that a number takes in the file."""
    if kind == VARINT:
        return max(1, -(-value.bit_length() // 7))
    return 4 if kind == FIXED32 else 8
