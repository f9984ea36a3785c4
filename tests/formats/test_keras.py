"""Keras' files, zips and HDF5: layers by class, code, what lies outside of Keras, whatever hides beside the weights."""

from __future__ import annotations

import base64
import io
import json
import marshal
import pickle
import shutil
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.formats.reading import header_of, seen_in
from weigh.core.errors import OverBudget
from weigh.core.observation import Observation
from weigh.describe.parameters import count

SAMPLES = Path(__file__).parents[1] / "samples"
LISTED = [
    path
    for name in ("keras", "keras-h5")
    for path in sorted((SAMPLES / name).glob("*.json"))
    if "layers" in json.loads(path.read_text("utf-8"))  # weights alone have none
]


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def zipped(config: Any, **members: bytes) -> bytes:
    """A .keras file of this configuration."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps(config))
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return file.getvalue()


def layer(name: str, **config: Any) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": name, "config": config, "registered_name": None}


def model(*layers: Any) -> dict[str, Any]:
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": list(layers)}}


def values(seen: list[Observation], kind: str) -> list[str]:
    return [one.value for one in seen if one.kind == kind]


@pytest.mark.parametrize("path", LISTED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_class_of_layer_is_named_as_keras_walks_them(path: Path) -> None:
    said = json.loads(path.read_text("utf-8"))
    layers = header_of(path.with_name(path.stem).read_bytes()).metadata["layers"]
    assert isinstance(layers, dict)
    assert sorted(name.rpartition(">")[2] for name in layers) == said["layers"]


@pytest.mark.parametrize("name", ["keras/strange.keras", "keras-h5/strange.h5"])
def test_classes_of_ones_own_and_code_are_told_apart_from_keras(name: str) -> None:
    data = sample(name)
    assert header_of(data).metadata["custom_layers"] == ("company>Registered", "Own")
    seen = seen_in(data)
    assert {"company>Registered", "Own", "Lambda", "TimeDistributed"} <= set(values(seen, "layer"))
    assert [one.where for one in seen if one.kind == "code"] == ["config.layers[code].config.function.config.code"]
    assert values(seen, "import") == []


def test_the_optimizers_part_is_counted_apart() -> None:
    for name in ("keras/plain.keras", "keras-h5/plain.h5"):
        header = header_of(sample(name))
        assert header.metadata["num_optimizer_tensors"] == sum("optimizer" in one.name for one in header.tensors) > 0


@pytest.mark.parametrize("name", ["keras/plain.keras", "keras-h5/plain.h5"])
def test_parameters_are_counted_as_keras_counts_them(name: str) -> None:
    """Of a layer of 4 by 3 with its bias, and four of 3 for the normalisation; nothing of the optimizer's."""
    assert count(header_of(sample(name)).tensors, {}).parameters == 4 * 3 + 3 + 4 * 3


def test_weights_stand_where_we_say_inside_the_zip() -> None:
    data = sample("keras/plain.keras")
    with zipfile.ZipFile(io.BytesIO(data)) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        for tensor in header_of(data).tensors:
            held = file[tensor.name][()].tobytes()
            assert tensor.offset is not None
            assert data[tensor.offset : tensor.offset + len(held)] == held


def test_a_deflated_zip_is_read_too() -> None:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(sample("keras/plain.keras"))) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
    names = {one.name for one in header_of(sample("keras/plain.keras")).tensors}
    assert {one.name for one in header_of(file.getvalue()).tensors} == names


def test_a_module_of_torchs_inside_is_followed_to_its_pickle() -> None:
    seen = seen_in(sample("keras/torch-inside.keras"))
    assert ("zip", "config.layers[torch_module_wrapper].config.module") in [
        (one.value, one.where) for one in seen if one.kind == "embedded"
    ]
    assert "torch.nn.modules.linear Linear" in values(seen, "import")


def test_a_lambda_of_keras_2_is_code_and_its_inner_layers_are_seen() -> None:
    seen = seen_in(sample("keras-h5/keras-2.h5"))
    assert values(seen, "layer") == ["Sequential", "Dense", "Lambda", "Bidirectional", "LSTM"]
    assert len(values(seen, "code")) == 1


def test_names_in_code_are_read_and_the_code_is_never_loaded() -> None:
    code = compile("__import__('os').system('id')", "model.py", "eval")
    text = base64.encodebytes(marshal.dumps(code)).decode()
    inside = layer("Lambda", function={"class_name": "__lambda__", "config": {"code": text, "defaults": None}})
    (names,) = values(seen_in(zipped(model(inside))), "code")
    assert {"__import__", "system"} <= set(names.split())


def test_code_that_is_not_what_it_should_be_is_code_all_the_same() -> None:
    inside = layer("Lambda", function={"class_name": "__lambda__", "config": {"code": "?", "defaults": None}})
    assert values(seen_in(zipped(model(inside))), "code") == ["?"]


@pytest.mark.parametrize(
    ("module", "name", "imported"),
    [
        ("os", "system", ["os system"]),
        ("builtins", "exec", ["builtins exec"]),  # Keras before 3.9 took it from there
        ("builtins", "gate", []),  # what Keras says of the functions of whoever wrote the model
        ("keras.utils", "get_file", []),
        ("company.layers", "Fast", ["company.layers Fast"]),
    ],
)
def test_what_is_no_layer_of_keras_is_named_with_its_module(module: str, name: str, imported: list[str]) -> None:
    seen = seen_in(zipped(model({"module": module, "class_name": name, "config": {}, "registered_name": name})))
    assert f"{module} {name}" in values(seen, "layer")
    assert values(seen, "import") == imported


def test_paths_and_addresses_in_the_configuration_are_told() -> None:
    layers = (
        layer("TFSMLayer", filepath="../elsewhere"),
        layer("StringLookup", vocabulary="/etc/passwd"),
        layer("Dense", source="https://example.com/x"),
    )
    assert values(seen_in(zipped(model(*layers))), "external_path") == [
        "../elsewhere",
        "/etc/passwd",
        "https://example.com/x",
    ]


class Harmless:
    """Names what it would call."""

    def __reduce__(self) -> tuple[object, ...]:
        return print, ("called",)


def test_assets_that_are_pickles_or_hold_them_are_followed() -> None:
    arrays = io.BytesIO()
    np.savez(arrays, a=np.array([Harmless()], dtype=object))
    data = zipped(model(), assets__bin=pickle.dumps(Harmless()), model__weights__npz=arrays.getvalue())
    seen = seen_in(data)
    assert {one.where for one in seen if one.value == "builtins print"} == {"assets.bin", "model.weights.npz!/a.npy"}
    assert [one.name for one in header_of(data).tensors] == ["a"]


def test_a_second_configuration_is_looked_at_and_its_name_is_a_problem() -> None:
    file = io.BytesIO(zipped(model(layer("Lambda", function={"class_name": "__lambda__", "config": {}}))))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr("config.json", json.dumps(model()))
    data = file.getvalue()
    assert [problem.kind for problem in header_of(data).problems] == ["duplicate"]
    assert values(seen_in(data), "code") == ["?"]


def test_a_configuration_that_is_no_json_is_a_problem_of_the_weights() -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as held:
        held.attrs["model_config"] = "{broken"
        held["w"] = np.zeros(2)
    header = header_of(file.getvalue())
    assert (header.format, [problem.kind for problem in header.problems]) == ("keras-h5", ["malformed"])


def test_names_too_many_for_one_attribute_are_put_together_again() -> None:
    file = io.BytesIO()
    with h5py.File(file, "w") as held:
        held.attrs["layer_names0"], held.attrs["layer_names1"] = [b"a", b"b"], [b"c"]
    assert header_of(file.getvalue()).metadata["layer_names"] == ("a", "b", "c")


def test_hdf5_of_others_is_not_keras(tmp_path: Path) -> None:
    for path in (SAMPLES / "hdf5").glob("*"):
        if path.suffix != ".json":
            shutil.copyfile(path, tmp_path / "model.keras.h5")
            assert header_of((tmp_path / "model.keras.h5").read_bytes()).format == "hdf5", path.name


@pytest.mark.parametrize(
    "config",
    ["[" + "[]," * 400_000 + "[]]", "[" + '{"class_name":"D"},' * 300_000 + "{}]", '"' + "a" * 5_000_000 + '"'],
    ids=["lists", "layers", "letters"],
)
def test_configurations_that_would_take_many_times_their_bytes_are_over_the_budget(config: str) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3"}))
        archive.writestr("config.json", config)
    with pytest.raises(OverBudget):
        header_of(file.getvalue())


def test_configurations_nested_without_end_are_over_the_budget() -> None:
    inner: Any = layer("Dense")
    text = json.dumps(model()).replace('"layers": []', '"layers": ' + "[" * 5000 + json.dumps(inner) + "]" * 5000)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3"}))
        archive.writestr("config.json", text)
    with pytest.raises(OverBudget):
        header_of(file.getvalue())
