"""MXNet: where arrays lie, and files made to harm."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from tools.samples.mxnet import array, params, rows
from weigh.core.errors import FormatError
from weigh.formats import detect, mxnet
from weigh.sources.memory import MemorySource

ROOT = Path(__file__).parents[1] / "samples" / "mxnet"


def read(data: bytes) -> mxnet.Header:
    return mxnet.read(MemorySource(data, path="model.dat"))


def test_arrays_lie_where_the_header_says() -> None:
    data = params([array(0, [2]), array(6, [3])], ["a", "b"])
    first, second = read(data).tensors
    assert (first.nbytes, second.nbytes) == (8, 24)
    assert first.offset is not None and second.offset == first.offset + 8 + len(array(6, [3])) - 24


def test_sparse_rows_are_counted_with_their_numbers() -> None:
    [tensor] = read(params([rows([10, 2], 3)], ["r"])).tensors
    assert (tensor.shape, tensor.nbytes) == ((10, 2), 3 * 2 * 4 + 3 * 8)


def test_arrays_without_names_are_numbered() -> None:
    assert [one.name for one in read(params([array(0, [2])] * 2, [])).tensors] == ["0", "1"]


def test_fewer_names_than_arrays_are_a_problem() -> None:
    assert [one.kind for one in read(params([array(0, [2])] * 2, ["a"])).problems] == ["malformed"]


def test_bytes_behind_the_names_are_a_problem() -> None:
    assert [one.kind for one in read(params([array(0, [2])], ["a"]) + b"more").problems] == ["trailing"]


def test_a_network_names_its_operators() -> None:
    source = MemorySource((ROOT / "small-symbol.json").read_bytes(), path="model.dat")
    header = mxnet.read(source)
    assert header.version == "10900"
    assert {one.value for one in mxnet.examine(source, header)} == {"FullyConnected", "Custom"}


@pytest.mark.parametrize(
    "table",
    [
        {"nodes": []},
        {"nodes": [{"op": "null", "name": "x"}], "arg_nodes": [], "heads": []},
        {"nodes": [1], "arg_nodes": [], "heads": []},
        {"nodes": {"a": 1}, "arg_nodes": [0], "heads": []},
    ],
)
def test_other_json_is_not_claimed(table: dict[str, object]) -> None:
    assert detect(MemorySource(json.dumps(table).encode(), path="x-symbol.json")).name == "json"


HEAD = struct.pack("<QQQ", 0x112, 0, 1)
HOSTILE = {
    "arrays-of-an-exabyte": struct.pack("<QQQ", 0x112, 0, 1 << 60),
    "a-thousand-dimensions": HEAD + struct.pack("<IiI", 0xF993FAC9, 0, 1000) + bytes(9000),
    "dimensions-beyond-all": HEAD
    + struct.pack("<IiI", 0xF993FAC9, 0, 3)
    + struct.pack("<QQQ", *[1 << 33] * 3)
    + bytes(90),
    "a-type-nobody-knows": HEAD + struct.pack("<IiIq", 0xF993FAC9, 0, 1, 1) + struct.pack("<iii", 1, 0, 77) + bytes(90),
    "a-storage-nobody-knows": HEAD + struct.pack("<II", 0xF993FAC9, 9) + bytes(90),
    "an-array-beyond-the-end": HEAD + struct.pack("<IiIq", 0xF993FAC9, 0, 1, 1 << 40) + struct.pack("<iii", 1, 0, 0),
    "a-name-of-an-exabyte": params([array(0, [1])], [])[:-8] + struct.pack("<QQ", 1, 1 << 62),
    "nothing-behind-the-magic": struct.pack("<QQ", 0x112, 0),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_files_made_to_harm_are_refused(name: str) -> None:
    source = MemorySource(HOSTILE[name], path="model.dat")
    assert detect(source).name == "mxnet"
    with pytest.raises(FormatError):
        mxnet.read(source)
