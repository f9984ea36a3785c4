"""Long pickles are told quickly as the exact machine tells them, however their values are hidden, and in little memory."""

from __future__ import annotations

import datetime
import pickle
import random
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases.safety.pickles import CASES, SYSTEM, whole
from weigh.codecs import pickle_brisk, pickle_groups, pickle_slots
from weigh.codecs.pickle import run
from weigh.codecs.pickle_brisk import BLOCK, follow
from weigh.codecs.pickle_nodes import Stream
from weigh.codecs.pickle_observations import observe
from weigh.core.errors import OverBudget
from weigh.sources.memory import MemorySource

EVIL = whole(SYSTEM)


def source(data: bytes) -> MemorySource:
    return MemorySource(data, path="x")


@pytest.fixture
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick way wherever it can be gone, and no value kept that can be read again."""
    monkeypatch.setattr(pickle_groups, "LEAST", 3)
    monkeypatch.setattr(pickle_brisk, "SHORT", 0)
    monkeypatch.setattr(pickle_brisk, "_PATIENCE", 1 << 40)
    monkeypatch.setattr("weigh.codecs.pickle_brisk_steps.MOST_KEPT", 0)


def told(stream: Stream) -> object:
    """All that becomes an observation."""
    error = None if stream.error is None else (stream.error.saying.key, stream.error.offset)
    return (
        stream.imports, stream.calls, stream.extensions, stream.nested, stream.bombs, stream.protocol, stream.end, error,
        {name: count > 0 for name, count in stream.loose.items()}, len(stream.persistent),
    )  # fmt: skip


def agree(quick: Stream, exact: Stream) -> None:
    """The same; but within a group of plain values nobody looks whether each finds what it takes: a loader ends there."""
    if quick.error is None and exact.error is not None and exact.error.saying.key == "error.pickle.stack":
        assert exact.imports.items() <= quick.imports.items() and exact.calls.items() <= quick.calls.items()
    else:
        assert told(quick) == told(exact)


# What a random program is put together from: pushes, what takes from the stack, the memo, and what imports.
PUSHES = [
    b"N",
    b"K\x05",
    b"]",
    b"}",
    b")",
    b"\x8c\x02os",
    b"\x8c\x06system",
    b"C\x03abc",
    b"X\x01\0\0\0a",
    b"G" + bytes(8),
]
TAKES = [b"0", b"2", b"(", b"1", b"\x85", b"\x86", b"\x87", b"t", b"l", b"d", b"e", b"u", b"a", b"s", b"\x90", b"\x91"]
MEMO = [
    b"\x94",
    b"\x94",
    b"q\x00",
    b"q\x01",
    b"r\x02\0\0\0",
    b"p3\n",
    b"h\x00",
    b"h\x01",
    b"h\x02",
    b"j\x03\0\0\0",
    b"h\x05",
]
CALLS = [b"cbuiltins\nlen\n", b"cbuiltins\ngetattr\n", b"\x93", b"R", b"b", b"\x81", b"\x92", b"o", b"ia\nb\n", b"Q", b"\x82\x01",
         b"ctorch.storage\n_load_from_bytes\n", b"\x95" + bytes(8)]  # fmt: skip
GROUPS = [
    b"(" + b"K\x01\x8c\x02os\x94\x8c\x06system\x94" + b"e",
    b"(" + b"]\x94(K\x01K\x02e" * 2 + b"u",
    b"(h\x00h\x01h\x00\x86\x94e",
    b"(" + b"C\x02ab\x94N\x86\x94" + b"t\x94",
    b"(h\x02h\x03h\x04h\x05e",
]
programs = st.lists(st.sampled_from([*PUSHES * 2, *TAKES, *MEMO, *CALLS, *GROUPS * 4]), max_size=60)


def fitting(begin: bytes, program: list[bytes]) -> bytes:
    """Those of the program's opcodes that find what they need on the stack and in the memo, one after the other."""
    data = begin
    for code in program:
        error = run(source(data + code)).error
        if error is None or (error.offset or 0) >= len(data + code):
            data += code
    return data + b"."


@pytest.mark.usefixtures("_eager")
@settings(max_examples=1000, deadline=None)
@given(programs, st.sampled_from([b"", b"\x80\x02", b"\x80\x04", b"\x80\x04]\x94"]), st.sampled_from([16, 64, BLOCK]))
def test_any_program_shows_what_the_exact_machine_shows(program: list[bytes], begin: bytes, block: int) -> None:
    data = begin + b"".join(program) + b"."
    agree(follow(source(data), block=block), run(source(data)))


@pytest.mark.usefixtures("_eager")
@settings(max_examples=1000, deadline=None)
@given(programs, st.sampled_from([b"]", b"\x80\x02]", b"\x80\x04]", b"\x80\x04]\x94"]), st.sampled_from([16, BLOCK]))
def test_any_program_that_runs_shows_what_the_exact_machine_shows(
    program: list[bytes], begin: bytes, block: int
) -> None:
    data = fitting(begin, program)
    agree(follow(source(data), block=block), run(source(data)))


VALUES = st.recursive(
    st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=70), st.binary(max_size=70), st.dates()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=8), st.dictionaries(st.text(max_size=3), inner, max_size=8), st.tuples(inner, inner)
    ),
    max_leaves=60,
)


@pytest.mark.usefixtures("_eager")
@settings(max_examples=500, deadline=None)
@given(VALUES, st.integers(0, 5), st.sampled_from([16, 64, BLOCK]))
def test_what_pickle_writes_shows_what_the_exact_machine_shows(value: object, protocol: int, block: int) -> None:
    data = pickle.dumps([value, value, [value]], protocol=protocol)
    quick = follow(source(data), block=block)
    assert told(quick) == told(run(source(data)))
    assert quick.end == len(data)


FILL = b"]\x94(" + b"K\x01\x8c\x03abc\x94K\x02\x86\x94" * 20_000 + b"e0"  # 40,001 slots of the memo
FAR = struct.pack("<I", 40_003)
HIDDEN = {
    "behind": b"\x80\x04" + FILL + SYSTEM,
    "operands under it": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94" + FILL + b"\x93)R.",
    "operands in the memo under it": b"\x80\x04\x8c\x02os\x940\x8c\x06system\x940" + FILL + b"h\x00h\x01\x93)R.",
    "operands within it": (
        b"\x80\x04]\x94(" + b"K\x01\x8c\x03abc\x94" * 9000 + b"\x8c\x02os\x94\x8c\x06system\x94"
        + b"\x8c\x03abc\x94" * 9000 + b"e0j" + struct.pack("<I", 9001) + b"j" + struct.pack("<I", 9002) + b"\x93)R."
    ),
    "a function in the memo under it": b"\x80\x04cos\nsystem\n\x940" + FILL + b"h\x00\x8c\x02id\x85R.",
    "a name in a list of values": b"\x80\x04](" + b"K\x01" * 70_000 + SYSTEM[:-1] + b"K\x01" * 70_000 + b"e.",
}  # fmt: skip


@pytest.mark.parametrize("case", list(HIDDEN))
def test_what_is_hidden_under_many_values_is_named(case: str) -> None:
    stream = follow(source(HIDDEN[case]))
    assert ("os", "system") in stream.imports or ("posix", "system") in stream.imports
    assert ("?", "?") not in stream.imports


def test_an_operand_written_over_is_not_taken_for_the_first() -> None:
    data = b"\x80\x02\x8c\x04mathq\x000" + b"\x8c\x02osq\x000" + b"h\x00\x8c\x06system\x93."
    assert list(follow(source(data)).imports) == [("os", "system")]


def test_a_slot_that_was_never_filled_is_no_clean_end() -> None:
    data = b"\x80\x04](" + b"K\x01" * 50 + b"h\x63" + b"e."
    error = follow(source(data)).error
    assert error is not None and error.saying.key == "error.pickle.memo"


@pytest.mark.parametrize("case", [case for case in CASES if "malicious" in case.verdict], ids=lambda case: case.name)
def test_nothing_malicious_is_passed(case: object) -> None:
    (data,) = case.files().values()  # type: ignore[attr-defined]
    assert told(follow(source(data))) == told(run(source(data)))


@pytest.mark.parametrize("size", [300, 5000, 2 * BLOCK])
def test_what_stands_behind_or_inside_a_long_plain_one_is_found(size: int) -> None:
    long = pickle.dumps([b"z" * size, *range(300)], protocol=4)
    for data in (long + EVIL, long[:-1] + SYSTEM + b"0.", long[:2] + SYSTEM + b"0" + long[2:]):
        assert any(seen.kind == "import" for seen in observe(source(data)))


class Point:
    """Something of a program's own."""

    def __init__(self, number: int) -> None:
        self.number, self.near = number, (number, number + 1)


def rows(number: int) -> object:
    return {"id": number, "name": f"row {number}", "at": (number % 7, 0.5), "all": [number, None, [True]]}


MANY: dict[str, Callable[[int], object]] = {
    "rows": rows,
    "dates": lambda number: datetime.date.fromordinal(number + 1),
    "objects": Point,
}


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("kind", list(MANY))
def test_more_than_the_exact_machine_follows_comes_to_its_end(
    kind: str, protocol: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickle_brisk, "MOST_OPCODES", 1000)
    monkeypatch.setattr(pickle_slots, "MOST_KEPT", 10)
    value = [MANY[kind](number) for number in range(20_000)]
    data = pickle.dumps(value, protocol=protocol)
    stream = follow(source(data), most=1_000_000)
    assert (stream.error, stream.end) == (None, len(data))
    assert list(stream.imports) == list(run(source(data)).imports)
    assert stream.num_opcodes < 10_000 or kind != "rows"


def test_parts_shared_within_shared_parts_are_never_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    doubled = b"".join(b"](h%bh%be\x94" % ((bytes([number]),) * 2) for number in range(60))
    data = b"\x80\x04]\x94" + doubled + b"."
    assert follow(source(data)).bombs.keys() == {"walk"}
    monkeypatch.setattr(pickle_brisk, "SHORT", 0)
    monkeypatch.setattr(pickle_brisk, "run", lambda source, **_: run(source, most=10))
    assert isinstance(follow(source(data)).error, OverBudget)


def test_a_key_of_tuples_within_tuples_is_a_bomb() -> None:
    doubled = b"".join(b"h%bh%b\x86\x94" % ((bytes([number]),) * 2) for number in range(40))
    data = b"\x80\x04}N\x85\x94" + doubled + b"Ns."
    assert "hash" in follow(source(data)).bombs


def test_random_ruin_is_answered_as_the_exact_machine_answers() -> None:
    chance = random.Random(3)
    good = pickle.dumps([rows(number) for number in range(40)], protocol=4)
    for _ in range(300):
        data = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        quick, exact = follow(source(bytes(data))), run(source(bytes(data)))
        assert quick.imports == exact.imports
        assert quick.error is not None or exact.error is None or "stack" in str(exact.error.saying.key)
