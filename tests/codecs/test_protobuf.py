"""The wire walk: what it yields, what it passes over, where it stops."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.samples.wire import field, floats, varint
from weigh.codecs.protobuf import BYTES, MOST_FIELDS, Wire, signed
from weigh.codecs.protobuf_shape import Kind, first, fits
from weigh.core.errors import FormatError, Malformed, OverBudget, Truncated
from weigh.sources.memory import MemorySource


class Counting(MemorySource):
    """Notes how many bytes were asked for."""

    asked = 0

    def read(self, offset: int, length: int) -> bytes:
        self.asked += length
        return super().read(offset, length)


def wire(data: bytes) -> Wire:
    return Wire(MemorySource(data, path="x"))


@given(
    st.lists(
        st.tuples(st.integers(1, 5000), st.one_of(st.integers(0, (1 << 64) - 1), st.binary(max_size=300))), max_size=40
    )
)
def test_what_was_written_is_read_back(fields: list[tuple[int, int | bytes]]) -> None:
    data = b"".join(field(number, value) for number, value in fields)
    read = wire(data).fields((0, len(data)))
    assert [(number, data[value:after] if kind == BYTES else value) for number, kind, value, after in read] == fields


@given(st.binary(max_size=200))
def test_any_bytes_end_in_fields_or_a_format_error(data: bytes) -> None:
    with contextlib.suppress(FormatError):
        assert all(after <= len(data) for *_, after in wire(data).fields((0, len(data))))


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_negative_numbers_come_back_negative(number: int) -> None:
    data = field(1, number & 0xFFFF_FFFF_FFFF_FFFF)
    assert wire(data).whole().whole(1) == number == signed(number & 0xFFFF_FFFF_FFFF_FFFF)


def test_large_fields_are_passed_over_unread() -> None:
    source = Counting(b"".join(field(1, bytes(1 << 20)) for _ in range(20)), path="x")
    assert len(Wire(source).whole().spans(1)) == 20
    assert source.asked < 200_000


def test_of_a_field_given_twice_the_last_counts() -> None:
    message = wire(field(1, 3) + field(1, 4) + field(2, "a") + field(2, "b")).whole()
    assert (message.unsigned(1), message.text(2), message.texts(2)) == (4, "b", ["a", "b"])


def test_numbers_are_the_same_packed_or_one_by_one() -> None:
    packed = field(1, b"".join(map(varint, (1, 300, (1 << 64) - 5))))
    plain = field(1, 1) + field(1, 300) + field(1, (1 << 64) - 5)
    assert wire(packed).whole().wholes(1) == wire(plain).whole().wholes(1) == [1, 300, -5]


def test_floats_and_doubles_are_read() -> None:
    data = varint(1 << 3 | 5) + floats(0.5) + varint(2 << 3 | 1) + struct.pack("<d", -2.25)
    message = wire(data).whole()
    assert (message.real(1), message.real(2), message.real(3)) == (0.5, -2.25, None)


def test_a_large_message_keeps_the_same_account_as_a_small_one() -> None:
    small = b"".join(field(number, number) + field(number, f"text {number}") for number in range(1, 30))
    large = small + field(99, bytes(1 << 17))
    for number in range(1, 30):
        message = wire(large).whole()
        assert (message.unsigned(number), message.text(number)) == (number, f"text {number}")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\x0a\x05abc", Truncated),
        (b"\x08", Truncated),
        (b"\x08" + b"\xff" * 9, Truncated),
        (b"\x08" + b"\xff" * 11, Malformed),
        (b"\x0d\x00\x00", Truncated),
        (b"\x0b\x0c", Malformed),
        (b"\x00\x01", Malformed),
        (b"\x0f", Malformed),
        (b"\x0a" + varint(1 << 62), Truncated),
    ],
)
def test_what_is_no_wire_is_refused(data: bytes, error: type[FormatError]) -> None:
    with pytest.raises(error):
        wire(data).whole()


def test_fields_before_a_break_are_seen_by_a_look() -> None:
    shape: dict[int, Kind] = {1: "text", 2: "varint"}
    data = field(1, "a") + field(2, 3) + b"\x0a\x7fcut"
    assert fits(wire(data), (0, len(data)), shape) == {1, 2}
    assert fits(wire(field(3, 1)), (0, 2), shape) is None
    assert fits(wire(field(1, b"\x00\x01")), (0, 4), shape) is None


def test_a_field_that_the_end_cuts_off_is_found_up_to_there() -> None:
    data = field(1, 7) + (b"\x12" + varint(1000) + b"beginning")
    assert first(wire(data), (0, len(data)), 2) == (5, len(data))
    assert first(wire(data), (0, len(data)), 3) is None


def test_fields_end_at_a_count() -> None:
    data = b"\x08\x01" * (MOST_FIELDS + 1)
    with pytest.raises(OverBudget):
        wire(data).whole()
