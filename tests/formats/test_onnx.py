"""ONNX: what the model says of itself, where its weights lie, and files made to harm."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from weigh.codecs.protobuf import MOST_FIELDS
from weigh.core.errors import FormatError, Malformed, OverBudget, Truncated
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.formats import detect
from weigh.formats import onnx as reader
from weigh.sources.memory import MemorySource

ROOT = Path(__file__).parents[1] / "samples" / "onnx"
SAMPLES = sorted(ROOT.glob("*.onnx"))


def read(data: bytes) -> Header:
    source = MemorySource(data, path="model.dat")
    format = detect(source)
    assert format.name == "onnx"
    return format.read(source)


def seen(data: bytes) -> list[Observation]:
    source = MemorySource(data, path="model.dat")
    return list(reader.examine(source, reader.read(source)))


def field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def model(graph: bytes) -> bytes:
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_operators_inputs_and_outputs_are_those_of_the_library(path: Path) -> None:
    said = json.loads(path.with_name(f"{path.name}.json").read_text("utf-8"))
    header = read(path.read_bytes())
    for key in ("opsets",):
        assert header.metadata.get(key) == said.get(key, header.metadata.get(key))
    for key in ("inputs", "outputs"):
        ours = [one["name"] for one in header.metadata.get(key, ())]  # type: ignore[union-attr,index,call-overload]
        assert ours == said.get(key, ours)
    operators = {one.value for one in seen(path.read_bytes()) if one.kind == "operator"}
    assert operators == set(said.get("operators", operators))


@pytest.mark.parametrize("name", ["linear", "quantised", "every-dtype"])
def test_the_bytes_of_a_tensor_are_where_the_header_says(name: str) -> None:
    data = (ROOT / f"{name}.onnx").read_bytes()
    given = {one.name: one for one in onnx.load_from_string(data).graph.initializer}
    for tensor in read(data).tensors:
        theirs = given.get(tensor.name)
        if theirs is not None and theirs.raw_data:
            assert tensor.offset is not None and tensor.nbytes is not None
            assert data[tensor.offset : tensor.offset + tensor.nbytes] == theirs.raw_data


def test_a_dimension_without_a_number_keeps_its_name() -> None:
    header = read((ROOT / "linear.onnx").read_bytes())
    assert header.metadata["inputs"] == ({"name": "x", "dtype": "F32", "shape": ("batch", 4)},)
    assert header.metadata["metadata_props"] == {"author": "someone"}


def test_weights_in_another_file_are_counted_and_their_place_is_told() -> None:
    data = (ROOT / "external.onnx").read_bytes()
    weight = next(one for one in read(data).tensors if one.name == "weight")
    assert (weight.storage, weight.nbytes) == ("weights.bin", 96)
    assert {one.value for one in seen(data) if one.kind == "external_path"} == {"weights.bin"}


@pytest.mark.parametrize(
    "location", ["/etc/passwd", "../up.bin", "a/../../b", "C:\\windows", "sub\\file", "C:/x", "file:///x", ""]
)
def test_a_place_outside_the_folder_is_a_problem(location: str) -> None:
    tensor = numpy_helper.from_array(np.ones(4, np.float32), "w")
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    node = helper.make_node("Identity", ["w"], ["y"])
    output = helper.make_tensor_value_info("y", 1, [4])
    data = helper.make_model(helper.make_graph([node], "g", [], [output], [tensor])).SerializeToString()
    assert [one.detail.key for one in read(data).problems] == ["problem.external_path"]
    assert [one.value for one in seen(data) if one.kind == "external_path"] == [location]


def test_a_download_that_was_cut_is_still_onnx_and_told_as_cut() -> None:
    data = (ROOT / "linear.onnx").read_bytes()
    for length in range(60, 360):  # inside the graph
        with pytest.raises(Truncated):
            read(data[:length])


NODE = field(4, b"Add")
HOSTILE = {
    "graph-of-an-exabyte": field(1, 8) + field(8, field(2, 13)) + varint(7 << 3 | 2) + varint(1 << 62) + field(1, NODE),
    "length-of-ten-bytes-of-ones": field(1, 8) + b"\x3a" + b"\xff" * 10 + field(1, NODE),
    "dimensions-beyond-all": model(field(1, NODE) + field(5, field(1, 1 << 33) * 3 + field(2, 1) + field(8, b"w"))),
    "a-negative-dimension": model(field(1, NODE) + field(5, field(1, (1 << 64) - 1) + field(2, 1))),
    "packed-dimensions-without-end": model(field(1, NODE) + field(5, field(1, b"\x82\x83\xff") + field(2, 1))),
    "packed-dimensions-of-a-megabyte": model(field(1, NODE) + field(5, field(1, b"\1" * (1 << 20)) + field(2, 1))),
    "a-thousand-dimensions": model(field(1, NODE) + field(5, field(1, 1) * 1000 + field(2, 1))),
    "a-group": model(field(1, NODE + field(5, b"\x0b\x0c"))),
    "a-field-beyond-its-message": model(field(1, NODE + field(5, b"\x0a\x7fx"))),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_files_made_to_harm_are_refused(name: str) -> None:
    source = MemorySource(HOSTILE[name], path="model.dat")
    with pytest.raises(FormatError):
        reader.read(source)


def test_graphs_in_graphs_end_at_a_depth() -> None:
    graph = field(1, NODE)
    for _ in range(2000):
        graph = field(1, NODE + field(5, field(1, b"body") + field(6, graph)))
    with pytest.raises(OverBudget):
        read(model(graph))


def test_fields_without_number_end_at_a_count() -> None:
    graph = field(1, NODE) + field(1, b"") * (MOST_FIELDS // 2)
    with pytest.raises(OverBudget):
        read(model(graph + graph))


def test_raw_bytes_that_do_not_fill_the_shape_are_a_problem() -> None:
    tensor = field(1, 3) + field(2, 1) + field(8, b"w") + field(9, b"12345678")
    assert [one.detail.key for one in read(model(field(1, NODE) + field(5, tensor))).problems] == ["problem.span"]


@pytest.mark.parametrize(
    "content",
    [
        b"\n" + b"plain text, " * 40,
        b"\x08\x07",
        b"\x08\x01\x10\x01\x18\x01",
        b"\x0a\x03abc" * 100,
        b"\x08\x01\x12\x02\x08\x01",
        bytes(range(256)) * 20,
        field(1, 1) + field(7, b"\x0a\x00"),
    ],
)
def test_what_is_no_onnx_is_not_claimed(content: bytes) -> None:
    source = MemorySource(content, path="model.onnx")
    assert not reader.matches(source) and not reader.matches_tensor(source)


def test_a_model_without_nodes_or_operator_sets_is_read() -> None:
    held = field(1, 2) + field(2, 1) + field(8, b"w") + field(9, bytes(8))
    header = read(field(1, 3) + field(7, field(5, held) + field(2, b"only weights")))
    assert [(one.name, one.shape) for one in header.tensors] == [("w", (2,))]


def test_an_ending_inside_a_message_is_malformed_not_truncated() -> None:
    with pytest.raises(Malformed):
        reader.read(MemorySource(model(field(1, b"\x22\x7fAdd")), path="x"))
