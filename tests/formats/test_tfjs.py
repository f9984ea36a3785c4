"""TensorFlow.js: the manifest held to its form, files that lie elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from weigh.core.errors import FormatError
from weigh.formats import detect, tfjs
from weigh.sources.memory import MemorySource

ROOT = Path(__file__).parents[1] / "samples" / "tfjs"


def model(**changed: Any) -> bytes:
    row = {"name": "w", "shape": [2], "dtype": "float32"} | changed.pop("row", {})
    group = {"paths": ["a.bin"], "weights": [row]} | changed
    return json.dumps({"format": "graph-model", "modelTopology": {}, "weightsManifest": [group]}).encode()


def test_quantised_weights_are_stored_smaller_and_lie_one_behind_another() -> None:
    header = tfjs.read(MemorySource((ROOT / "graph.json").read_bytes(), path="x"))
    assert [(one.dtype, one.nbytes, one.offset) for one in header.tensors] == [("U8", 12, 0), ("I32", 8, 12)]


def test_classes_of_a_layers_model_are_layers() -> None:
    source = MemorySource((ROOT / "layers.json").read_bytes(), path="x")
    found = {(one.kind, one.value) for one in tfjs.examine(source, tfjs.read(source))}
    assert found == {("layer", "InputLayer"), ("layer", "Dense")}


def test_files_elsewhere_are_a_problem_and_observed() -> None:
    source = MemorySource(model(paths=["../a.bin", "https://example.org/b.bin"]), path="x")
    header = tfjs.read(source)
    assert [one.detail.key for one in header.problems] == ["problem.external_path"] * 2
    assert len([one for one in tfjs.examine(source, header) if one.kind == "external_path"]) == 2


@pytest.mark.parametrize(
    "data",
    [
        model(row={"shape": [-1]}),
        model(row={"shape": [1 << 40, 1 << 40]}),
        model(row={"shape": [True]}),
        model(row={"dtype": 3}),
        model(paths=[1]),
        model(weights={}),
    ],
)
def test_a_manifest_of_another_form_is_refused(data: bytes) -> None:
    source = MemorySource(data, path="model.dat")
    assert detect(source).name == "tfjs"
    with pytest.raises(FormatError):
        tfjs.read(source)


@pytest.mark.parametrize("table", [{"modelTopology": 1}, {"weightsManifest": 3}, {"a": "weightsManifest"}])
def test_other_json_is_not_claimed(table: dict[str, object]) -> None:
    assert detect(MemorySource(json.dumps(table).encode(), path="model.json")).name == "json"
