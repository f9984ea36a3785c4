"""Is this message one of a format's? By its fields: what numbers they have, and of which kinds they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from weigh.codecs.protobuf import BYTES, FIXED32, FIXED64, PAD, VARINT, Span, Wire
from weigh.core.errors import FormatError, Truncated

Kind = Literal["varint", "bytes", "text", "message", "fixed32", "varints", "floats", "doubles", "numbers"]

_WIRES: Mapping[Kind, tuple[int, ...]] = {
    "varint": (VARINT,),
    "fixed32": (FIXED32,),
    "bytes": (BYTES,),
    "text": (BYTES,),
    "message": (BYTES,),
    "varints": (VARINT, BYTES),  # repeated: packed or one by one
    "floats": (FIXED32, BYTES),
    "doubles": (FIXED64, BYTES),
    "numbers": (VARINT, BYTES, FIXED32, FIXED64),
}


def fits(wire: Wire, span: Span, shape: Mapping[int, Kind], *, most: int = 64) -> frozenset[int] | None:
    """The numbers among the first `most` fields, if all of them are of this shape; None if one is not.

    A field that ends behind the span ends the look, and is of the shape if its beginning is: files are cut short.
    """
    seen: set[int] = set()
    try:
        for number, kind, value, after in wire.fields(span):
            expected = shape.get(number)
            if expected is None or kind not in _WIRES[expected]:
                return None
            if expected == "text" and not _is_text(wire.bytes((value, after), most=256)):
                return None
            seen.add(number)
            most -= 1
            if not most:
                break
    except Truncated:
        pass
    except FormatError:
        return None
    return frozenset(seen)


def first(wire: Wire, span: Span, number: int, *, most: int = 64) -> Span | None:
    """Where the first field of this number lies among the first `most`; cut off at the file's end if it is longer."""
    try:
        for _, (found, kind, value, after) in zip(range(most), wire.fields(span), strict=False):
            if found == number and kind == BYTES:
                return value, after
    except Truncated as error:
        return _cut(wire, error, number)
    except FormatError:
        return None
    return None


def _cut(wire: Wire, error: Truncated, number: int) -> Span | None:
    """The field that the file's end cuts off, if it is the one asked for."""
    at = error.offset or 0
    head = wire.source.read(at, 20) + PAD
    tag, index = wire.varint(head, 0, base=at)
    if tag != number << 3 | BYTES:
        return None
    _, index = wire.varint(head, index, base=at)
    return min(at + index, wire.source.size), wire.source.size


def _is_text(data: bytes) -> bool:
    """UTF-8 without control characters; the last letter may be cut."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(data) < 256 or error.start < len(data) - 3:
            return False
        text = data[: error.start].decode("utf-8")
    return not any(letter < " " and letter not in "\n\r\t" for letter in text)
