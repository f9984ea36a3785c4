"""Core ML: what goes in and out, layers of the app's own, packages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tools.samples.wire import field
from weigh.core.errors import FormatError, OverBudget
from weigh.formats import FOLDER_FORMATS, coreml, detect
from weigh.sources.folder import Folder
from weigh.sources.memory import MemorySource

ROOT = Path(__file__).parents[1] / "samples" / "coreml"
MODELS = sorted(ROOT.glob("*.mlmodel"))


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_kind_version_inputs_and_outputs_are_those_of_the_library(path: Path) -> None:
    said = json.loads(path.with_name(f"{path.name}.json").read_text("utf-8"))
    header = coreml.read(MemorySource(path.read_bytes(), path="model.dat"))
    assert (header.metadata["type"], header.version) == (said["type"], said["version"])
    for key in ("inputs", "outputs"):
        assert [one["name"] for one in header.metadata[key]] == said[key]  # type: ignore[union-attr,index,call-overload]


def test_a_layer_of_the_apps_own_is_observed() -> None:
    source = MemorySource((ROOT / "custom.mlmodel").read_bytes(), path="model.dat")
    found = [(one.kind, one.value, one.where) for one in coreml.examine(source, coreml.read(source))]
    assert found == [("layer", "custom MyOwnLayer", "own")]


def test_layers_are_called_by_their_names_not_numbers() -> None:
    header = coreml.read(MemorySource((ROOT / "network.mlmodel").read_bytes(), path="model.dat"))
    assert header.metadata["operators"] == {"convolution": 1, "batchnorm": 1, "flatten": 1, "innerProduct": 1}


def test_a_package_is_a_folder_with_a_model_in_it(tmp_path: Path) -> None:
    inner = tmp_path / "Data" / "com.apple.CoreML"
    (inner / "weights").mkdir(parents=True)
    (tmp_path / "Manifest.json").write_text("{}")
    shutil.copy(ROOT / "program.mlmodel", inner / "model.mlmodel")
    shutil.copy(ROOT / "weight.bin", inner / "weights" / "weight.bin")
    format = next(one for one in FOLDER_FORMATS if one.matches(Folder(tmp_path)))
    header = format.read(Folder(tmp_path))
    assert (format.name, header.metadata["type"]) == ("coreml-package", "mlProgram")


def test_a_compiled_model_is_a_package_too(tmp_path: Path) -> None:
    for name in ("coremldata.bin", "model.mil", "metadata.json"):
        (tmp_path / name).write_bytes(b"x")
    format = next(one for one in FOLDER_FORMATS if one.matches(Folder(tmp_path)))
    assert (format.name, format.read(Folder(tmp_path)).metadata["compiled"]) == ("coreml-package", True)


def test_the_text_of_a_compiled_program_is_recognised() -> None:
    text = b"program(1.0)\n[buildInfo = dict<tensor<string, []>, tensor<string, []>>({})]\n{ func main<ios16>() {} }"
    assert detect(MemorySource(text, path="model.dat")).name == "coreml"


def test_the_parts_of_a_compiled_model_are_recognised() -> None:
    head = (502).to_bytes(4, "little") + (5).to_bytes(4, "little") + bytes(20) + (7).to_bytes(8, "little") + b"generic"
    source = MemorySource(head + bytes(100), path="coremldata.bin")
    assert (detect(source).name, coreml.read(source).metadata["type"]) == ("coreml", "mlProgram")
    counts = (25).to_bytes(8, "little") + b"NeuralNetworkModelDetails" + bytes(100)
    assert detect(MemorySource(counts, path="x")).name == "coreml"


def test_weights_are_where_the_model_says() -> None:
    model = coreml.read(MemorySource((ROOT / "program.mlmodel").read_bytes(), path="model.dat"))
    blobs = coreml.read(MemorySource((ROOT / "weight.bin").read_bytes(), path="weight.bin"))
    named = [one for one in model.tensors if one.storage is not None]
    assert {one.name for one in blobs.tensors} == {str(one.offset) for one in named}
    assert {one.nbytes for one in blobs.tensors} == {one.nbytes for one in named}


def test_weights_outside_the_package_are_observed() -> None:
    data = (ROOT / "program.mlmodel").read_bytes()
    changed = data.replace(b"@model_path/weights/weight.bin", b"@model_path/../ights/weight.bi")
    source = MemorySource(changed, path="model.dat")
    found = {one.value for one in coreml.examine(source, coreml.read(source)) if one.kind == "external_path"}
    assert found == {"@model_path/../ights/weight.bi"}


def test_pipelines_in_pipelines_end_at_a_depth() -> None:
    model = field(1, 4) + field(2, b"") + field(900, b"")
    for _ in range(100):
        model = field(1, 4) + field(2, b"") + field(202, field(1, model))
    with pytest.raises(OverBudget):
        coreml.read(MemorySource(model, path="model.dat"))


def test_a_file_of_weights_that_says_too_much_is_refused() -> None:
    data = bytearray((ROOT / "weight.bin").read_bytes())
    data[0:4] = b"\xff\xff\xff\x7f"
    with pytest.raises(FormatError):
        coreml.read(MemorySource(bytes(data), path="x"))
