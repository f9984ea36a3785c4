"""Caffe: networks of each generation, text, and code that a layer names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.samples.wire import field, varint
from weigh.core.errors import FormatError
from weigh.formats import caffe, detect
from weigh.sources.memory import MemorySource

ROOT = Path(__file__).parents[1] / "samples" / "caffe"


@pytest.mark.parametrize(
    ("name", "version"), [("lenet.caffemodel", "2"), ("v1.caffemodel", "1"), ("lenet.prototxt", None)]
)
def test_layers_are_counted_by_type_in_every_generation(name: str, version: str | None) -> None:
    header = caffe.read(MemorySource((ROOT / name).read_bytes(), path="model.dat"))
    assert header.metadata["operators"] == {"Convolution": 1, "ReLU": 1}
    assert (header.version, header.metadata["name"]) == (version, "LeNet")


@pytest.mark.parametrize(
    "data",
    [
        b'layer { name: "p" type: "Python" python_param { module: "os" layer: "system" } }',
        field(100, field(1, "p") + field(2, "Python") + field(130, field(1, "os") + field(2, "system"))),
    ],
    ids=["text", "binary"],
)
def test_a_layer_in_python_names_its_code(data: bytes) -> None:
    source = MemorySource(data, path="model.dat")
    format = detect(source)
    assert format.name == "caffe"
    found = [(one.kind, one.value) for one in format.examine(source, format.read(source))]
    assert ("code", "os system") in found


@pytest.mark.parametrize(
    "text",
    [
        "name: value\nother: thing\n",
        "layer: 3\n",
        "layers { name }",
        'net: "train.prototxt"\nbase_lr: 0.01\n',
        "input: 1",
        "layer { name: 1 type: 2 } nonsense { a: b }",
    ],
)
def test_other_text_is_not_claimed(text: str) -> None:
    assert not caffe.matches(MemorySource(text.encode(), path="x.prototxt"))


HOSTILE = {
    "text-in-text": b'layer { name: "a" type: "b" ' + b"x { " * 100_000,
    "tokens-without-number": b'layer { name: "a" type: "b" } ' + b'input: "a" ' * 300_000,
    "dimensions-beyond-all": field(
        100, field(1, "c") + field(2, "Convolution") + field(7, field(7, field(1, varint(1 << 30) * 4)))
    ),
    "a-negative-dimension": field(100, field(1, "c") + field(2, "Convolution") + field(7, field(1, (1 << 64) - 1))),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_files_made_to_harm_are_refused(name: str) -> None:
    source = MemorySource(HOSTILE[name], path="model.dat")
    with pytest.raises(FormatError):
        caffe.read(source)
