"""Tables walked by offset: defaults, bounds, and what many offsets share."""

from __future__ import annotations

import struct

import pytest

from weigh.codecs import flatbuffers
from weigh.codecs.flatbuffers import Flat
from weigh.core.errors import FormatError, Malformed, OverBudget, Truncated
from weigh.sources.memory import MemorySource

# A root at 16 with the fields: a byte 7, one left out, a string "hi" at 36, a vector of two numbers at 44.
TABLE = struct.pack("<iB3xII", 12, 7, 12, 16)
DATA = struct.pack("<I", 16) + struct.pack("<HHHHHH", 12, 16, 4, 0, 8, 12) + TABLE
DATA += bytes(4) + struct.pack("<I", 2) + b"hi\0\0" + struct.pack("<Iii", 2, -1, 5)


def root(data: bytes = DATA) -> flatbuffers.Table:
    return Flat(MemorySource(data, path="x")).root()


def test_fields_are_read_and_those_left_out_have_their_defaults() -> None:
    table = root()
    assert (table.number(0, 1, "byte"), table.number(1, 4, "gone", default=9), table.number(9, 4, "beyond")) == (
        7,
        9,
        0,
    )
    assert (table.text(2, "text"), table.numbers(3, 4, "numbers")) == ("hi", (-1, 5))
    assert (table.text(1, "gone"), table.numbers(1, 4, "gone"), list(table.tables(1, "gone"))) == (None, (), [])


def test_every_cut_gives_what_is_there_or_an_error() -> None:
    for length in range(len(DATA)):
        with pytest.raises(FormatError):
            table = root(DATA[:length])
            table.text(2, "text")
            table.numbers(3, 4, "numbers")


def test_an_offset_of_zero_and_a_vtable_of_odd_size_are_refused() -> None:
    with pytest.raises(Malformed):
        root(bytes(40))
    with pytest.raises(Malformed):
        root(DATA[:4] + b"\x07" + DATA[5:])


def test_a_vector_longer_than_the_file_is_refused() -> None:
    with pytest.raises(Malformed):
        root(DATA[:-12] + struct.pack("<Iii", 1 << 30, -1, 5)).numbers(3, 4, "numbers")


def test_a_string_past_the_end_is_refused() -> None:
    with pytest.raises(FormatError):
        root(DATA[:-4]).numbers(3, 4, "numbers")
    with pytest.raises(Truncated):
        Flat(MemorySource(b"\x10\0\0\0", path="x")).root()


def test_what_many_offsets_share_is_opened_within_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flatbuffers, "MOST_TABLES", 3)
    flat = Flat(MemorySource(DATA, path="x"))
    with pytest.raises(OverBudget):
        for _ in range(5):
            flat.root()


def test_a_number_across_pages_is_whole() -> None:
    data = bytearray(flatbuffers.PAGE * 3)
    data[flatbuffers.PAGE - 2 : flatbuffers.PAGE + 2] = struct.pack("<I", 0x12345678)
    assert Flat(MemorySource(bytes(data), path="x")).number(flatbuffers.PAGE - 2, 4, "number") == 0x12345678
