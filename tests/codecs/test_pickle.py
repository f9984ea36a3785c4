"""Pickles followed without loading, against pickle, pickletools and those who mean harm."""

from __future__ import annotations

import collections
import datetime
import io
import pickle
import pickletools
import random
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weigh.codecs.pickle import is_pickle, run
from weigh.codecs.pickle_nodes import Call, Global, Node, Pairs, Stream
from weigh.codecs.pickle_opcodes import OPCODES, Blob
from weigh.core.errors import FormatError, OverBudget, Truncated
from weigh.sources.memory import MemorySource


def followed(data: bytes) -> Stream:
    return run(MemorySource(data, path="p"))


def imports(data: bytes) -> list[str]:
    return [f"{module} {name}" for module, name in followed(data).imports]


def plain(node: Node, data: bytes) -> Any:
    """What a node of plain data stands for. Sets come as frozensets of what they hold."""
    match node:
        case Blob(offset=offset, nbytes=nbytes):
            return data[offset : offset + nbytes]
        case Pairs(items=items):
            return {plain(key, data): plain(value, data) for key, value in items}
        case list():
            return [plain(one, data) for one in node]
        case tuple():
            return tuple(plain(one, data) for one in node)
        case _:
            return node


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=300), st.binary(max_size=300)
)
keys = st.one_of(st.integers(), st.text(max_size=9))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(keys, inner), st.lists(inner, max_size=5).map(tuple)),
    max_leaves=25,
)


@settings(deadline=None)
@given(values, st.sampled_from([3, 4, 5]))
def test_plain_data_comes_out_as_pickle_loads_it(value: Any, protocol: int) -> None:
    data = pickle.dumps(value, protocol=protocol)
    stream = followed(data)
    assert stream.error is None and stream.end == len(data)
    assert plain(stream.value, data) == value
    assert stream.imports == {}


without_bytes = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=300)),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(keys, inner), st.lists(inner, max_size=5).map(tuple)),
    max_leaves=25,
)


@settings(deadline=None)
@given(without_bytes, st.sampled_from([0, 1, 2]))
def test_plain_data_of_old_protocols_comes_out_too(value: Any, protocol: int) -> None:
    data = pickle.dumps(value, protocol=protocol)
    assert plain(followed(data).value, data) == value


OBJECTS = [
    collections.OrderedDict(a=1),
    datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    {"set": {1, 2}, "frozen": frozenset("ab"), "complex": 1j, "array": bytearray(b"12"), "range": range(3)},
    [len, collections.Counter("abc"), collections.deque([1], maxlen=3)],
    ["x" * 70_000, b"y" * 300_000, "z"],  # longer than a block
    list(range(100_000)),
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("number", range(len(OBJECTS)))
def test_ends_and_imports_are_those_that_pickle_sees(number: int, protocol: int) -> None:
    data = pickle.dumps(OBJECTS[number], protocol=protocol)
    stream = followed(data + b"what follows")
    *_, (last, _, place) = pickletools.genops(data)
    assert (last.name, stream.error, stream.end) == ("STOP", None, (place or 0) + 1)
    reached: list[tuple[str, str]] = []

    class Recorder(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            reached.append((module, name))
            return super().find_class(module, name)

    Recorder(io.BytesIO(data)).load()
    assert set(stream.imports) == set(reached)


# What a hostile hand writes: one line each, the import that the C unpickler makes of it.
HOSTILE = {
    "protocol 0": (b"cos\nsystem\n(S'true'\ntR.", "os system"),
    "by INST": (b"(S'true'\nios\nsystem\n.", "os system"),
    "by OBJ": (b"(cos\nsystem\nS'true'\no.", "os system"),
    "by NEWOBJ": (b"\x80\x02cos\nsystem\n)\x81.", "os system"),
    "by NEWOBJ_EX": (b"\x80\x04cos\nsystem\n)}\x92.", "os system"),
    "by STACK_GLOBAL": (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os system"),
    "through the memo": (b"\x80\x04\x8c\x02os\x94\x8c\x06system\x9400h\x00h\x01\x93.", "os system"),
    "memo written over": (b"\x80\x04\x8c\x04mathq\x000\x8c\x02osq\x000h\x00\x8c\x06system\x93.", "os system"),
    "a memo slot that looks octal": (
        b"\x80\x04\x8c\x04mathp15\n0\x8c\x02osp017\n0g17\n\x8c\x06system\x93.",
        "os system",
    ),
    "MEMOIZE after PUT": (b"\x80\x04\x8c\x02osq\x05\x94\x940h\x01\x8c\x06system\x93.", "os system"),
    "escapes": (b"\x80\x04S'\\x6f\\163'\nS'sy\\\nstem'\n\x93.".replace(b"\\\n", b""), "os system"),
    "BINSTRING": (b"\x80\x04T\x02\x00\x00\x00osU\x06system\x93.", "os system"),
    "UNICODE line": (b"\x80\x04V\\u006fs\nVsystem\n\x93.", "os system"),
    "a dotted name": (b"\x80\x04\x8c\x0bcollections\x8c\x0b_sys.exit.x\x93.", "collections _sys.exit.x"),
    "dup and pop": (b"\x80\x04\x8c\x02os2N00\x8c\x06system\x93.", "os system"),
    "in a frame": (b"\x80\x04\x95\x0c\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x8c\x06system\x93.", "os system"),
    "without STOP": (b"\x80\x04\x8c\x02os\x8c\x06system\x93)R", "os system"),
    "before what breaks": (b"\x80\x02cos\nsystem\n(S'true'\ntR\xff\xff", "os system"),
    "after a constant": (b"K\x010cos\nsystem\n(S'true'\ntR.", "os system"),
    "after an empty tuple": (b")0cos\nsystem\n(S'true'\ntR.", "os system"),
}


@pytest.mark.parametrize("case", list(HOSTILE))
def test_what_the_unpickler_would_import_is_seen(case: str) -> None:
    data, expected = HOSTILE[case]
    reached: list[str] = []

    class Recorder(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            reached.append(f"{module} {name}")
            return Anything

    try:
        Recorder(io.BytesIO(data)).load()
    except Exception:  # whatever the C code raises, once it has imported
        assert case in {"without STOP", "before what breaks"}
    assert reached == [expected]
    assert imports(data) == [expected]
    assert is_pickle(MemorySource(data, path="p"))


class Anything:
    """Takes whatever it is called with."""

    def __new__(cls, *arguments: object, **keywords: object) -> Anything:
        return object.__new__(cls)


NUMBERS = [
    b"I0\n", b"I17\n", b"I017\n", b"I-017\n", b"I0x1F\n", b"I 7\n", b"I00\n", b"I01\n", b"I1_0\n", b"L17L\n", b"L-5\n", b"L0x10L\n",
    b"F1.5\n", b"F-inf\n", b"\x8a\x00", b"\x8a\x02\xff\xff", b"\x8b\x01\x00\x00\x00\x7f", b"J\xff\xff\xff\xff", b"M\xff\xff",
    b"S'a\\x41\\101\\n\\q\\\\\\''\n", b'S"a"\n', b"Vab\\u0041\n",
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pickle's own, of escapes
@pytest.mark.parametrize("code", NUMBERS, ids=lambda code: ascii(code)[2:-1])
def test_a_literal_has_the_value_that_pickle_gives_it(code: bytes) -> None:
    theirs = pickle.loads(code + b".")
    ours = followed(code + b".").value
    assert (type(ours), ours) == (type(theirs), theirs)


def test_a_name_put_together_while_loading_is_a_question_mark() -> None:
    data = b"\x80\x04c_codecs\nencode\n\x8c\x02os\x85R\x8c\x06system\x93."
    assert imports(data) == ["_codecs encode", "? ?"]


def test_calls_keep_their_arguments_and_what_is_put_into_them() -> None:
    data = pickle.dumps(collections.OrderedDict(a=[1]), protocol=2)
    value = followed(data).value
    assert isinstance(value, Call) and isinstance(value.function, Global)
    assert value.function.path == "collections.OrderedDict"
    assert list(value.items) == [("a", [1])]


def test_bytes_are_told_by_where_they_stand() -> None:
    data = b"\x80\x04B\x04\x00\x00\x00\x01\x02\x03\x04."
    assert followed(data).value == Blob(offset=7, nbytes=4)


def test_bytes_of_a_gigabyte_are_walked_past() -> None:
    class Sparse:
        path, size = "sparse", (1 << 30) + 10

        def read(self, offset: int, length: int) -> bytes:
            whole = {0: b"\x80\x04\x8e" + struct.pack("<Q", (1 << 30) - 2), self.size - 1: b"."}
            chunk = bytearray(min(length, self.size - offset))
            for place, piece in whole.items():
                for number, byte in enumerate(piece):
                    if 0 <= place + number - offset < len(chunk):
                        chunk[place + number - offset] = byte
            return bytes(chunk)

    stream = run(Sparse())
    assert (stream.error, stream.end) == (None, Sparse.size)


BOMBS = {
    "a memo slot of two thousand million": (b"\x80\x02Nr\xff\xff\xff\x7f.", None),
    "three million marks": (b"\x80\x02" + b"(" * 3_000_000, OverBudget),
    "three million lists": (b"\x80\x02" + b"]" * 3_000_000, OverBudget),
    "three million memo slots": (b"\x80\x04N" + b"\x94" * 3_000_000, OverBudget),
    "a million names": (b"\x80\x02" + b"ca\nb\n" * 1_000_000, OverBudget),
    "a value doubled a thousand times": (b"\x80\x02]q\x00" + b"h\x00h\x00\x86q\x00" * 1000 + b".", None),
    "a string of an exabyte": (b"\x80\x04\x8d" + struct.pack("<Q", 1 << 60) + b".", Truncated),
    "bytes of an exabyte": (b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b".", Truncated),
    "a number of two gigabytes": (b"\x80\x02\x8b\xff\xff\xff\x7f.", Truncated),
    "a number of 100,000 digits": (b"L" + b"9" * 100_000 + b"L\n.", FormatError),
    "a line without end": (b"V" + b"a" * 5_000_000, FormatError),
    "tuples a million deep": (b"\x80\x02N" + b"\x85" * 700_000 + b".", None),
}


@pytest.mark.parametrize("case", list(BOMBS))
def test_a_bomb_is_answered(case: str) -> None:
    data, expected = BOMBS[case]
    error = followed(data).error
    assert error is None if expected is None else isinstance(error, expected)


def test_many_streams_lie_one_after_the_other() -> None:
    data = b"".join(pickle.dumps(number, protocol=number % 6) for number in range(20))
    at, seen = 0, []
    while at < len(data):
        stream = run(MemorySource(data, path="p"), offset=at)
        seen.append(stream.value)
        at = stream.end
    assert seen == list(range(20))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"N",
        b".",
        b"Name,Size\n1,2\n",
        b"I think so.\n",
        b"(see below)\n",
        b"# a comment\n",
        b"{}",
        b"\x80\x09N.",
        b"\x80",
    ],
)
def test_text_and_scraps_are_no_pickles(data: bytes) -> None:
    assert not is_pickle(MemorySource(data, path="p"))


def test_random_bytes_are_hardly_ever_pickles() -> None:
    chance = random.Random(5)
    assert sum(is_pickle(MemorySource(chance.randbytes(200), path="p")) for _ in range(5000)) <= 2


def test_every_truncation_and_mutation_is_answered() -> None:
    chance = random.Random(11)
    for protocol in range(6):
        whole = b"".join(pickle.dumps(one, protocol=protocol) for one in OBJECTS[:4])
        for length in range(len(whole)):
            followed(whole[:length])
        for _ in range(1500):
            data = bytearray(whole)
            for _ in range(chance.randint(1, 4)):
                data[chance.randrange(len(data))] = chance.choice([chance.randrange(256), *OPCODES])
            followed(bytes(data))
