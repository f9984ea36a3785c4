"""Keras' files from Keras itself, zips and HDF5: `python -m tools.samples.keras OUT`, into OUT/keras and OUT/keras-h5.

Keras 2's layout, which Keras 3 no longer writes, is put together by hand with h5py after what tf-keras writes.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tools.samples.oracles import NUMPY, Tensor, main, note

os.environ.setdefault("KERAS_BACKEND", "torch")


def write(folder: Path) -> None:
    """Every sample and its oracle."""
    import keras
    import numpy as np

    zips, trees = folder / "keras", folder / "keras-h5"
    zips.mkdir(parents=True, exist_ok=True)
    trees.mkdir(parents=True, exist_ok=True)
    plain = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="first"), keras.layers.BatchNormalization()]
    )
    plain.compile("adam", "mse")
    plain.fit(np.zeros((2, 4)), np.zeros((2, 3)), verbose=0)
    strange = with_everything(keras)
    for name, model in (("plain", plain), ("strange", strange)):
        model.save(zips / f"{name}.keras")
        keep_zip(zips / f"{name}.keras", model)
        model.save(trees / f"{name}.h5")
        keep_tree(trees / f"{name}.h5", layers=layers_of(model))
    strange.save_weights(trees / "variables.weights.h5")
    keep_tree(trees / "variables.weights.h5")
    wrapped(keras, zips / "torch-inside.keras")
    keras_2(trees / "keras-2.h5")


def with_everything(keras: Any) -> Any:
    """A model inside a model, a wrapper, registered and plain classes of one's own, a Lambda and a function."""

    @keras.saving.register_keras_serializable("company")
    class Registered(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    class Own(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    twice = eval(compile("lambda t: t * 2", "model.py", "eval"))  # a path of this machine would stay in the file
    inner = keras.Sequential([keras.layers.Dense(3, name="within")], name="inner")
    x = start = keras.Input((2, 4))
    x = keras.layers.TimeDistributed(keras.layers.Dense(3, name="wrapped"), name="wrapper")(x)
    x = inner(x)
    x = Own(name="own")(Registered(name="registered")(x))
    return keras.Model(start, keras.layers.Lambda(twice, name="code")(x))


def wrapped(keras: Any, path: Path) -> None:
    import torch

    model = keras.Sequential([keras.Input((2,)), keras.layers.TorchModuleWrapper(torch.nn.Linear(2, 2))])
    model.save(path)
    keep_zip(path, model, imports=["torch.nn.modules.linear Linear"])


def keras_2(path: Path) -> None:
    """Bytes in base64 for a Lambda, no modules, names with a colon."""
    import h5py
    import numpy as np

    code = (
        "4wEAAAAAAAAAAAAAAAEAAABTAAAAcwgAAAB8AGQBFABTACkCTukCAAAAqQAp"
        "AdoBeHIBAAAAcgEAAAD6CG1vZGVsLnB52gg8bGFtYmRhPgEAAADzAAAAAA==\n"
    )
    layers = [
        {"class_name": "Dense", "config": {"name": "dense", "units": 3, "activation": "relu"}},
        {
            "class_name": "Lambda",
            "config": {"name": "lambda", "function": [code, None, None], "function_type": "lambda"},
        },
        {
            "class_name": "Bidirectional",
            "config": {"name": "both", "layer": {"class_name": "LSTM", "config": {"name": "lstm"}}},
        },
    ]
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = b"2.15.0", b"tensorflow"
        file.attrs["model_config"] = json.dumps(
            {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}
        ).encode()
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"dense", b"lambda", b"both"]
        dense = weights.create_group("dense")
        dense.attrs["weight_names"] = [b"dense/kernel:0", b"dense/bias:0"]
        dense["dense/kernel:0"], dense["dense/bias:0"] = np.zeros((4, 3), "f4"), np.zeros(3, "f4")
        file["optimizer_weights/Adam/iter:0"] = np.int64(1)
    keep_tree(path, layers=["Bidirectional", "Dense", "LSTM", "Lambda", "Sequential"])


def keep_zip(path: Path, model: Any, **said: object) -> None:
    import zipfile

    inner = path.with_suffix(".weights.h5")
    with zipfile.ZipFile(path) as archive:
        inner.write_bytes(archive.read("model.weights.h5"))
        version = json.loads(archive.read("metadata.json"))["keras_version"]
    note(path, "keras", tensors_of(inner), layers=layers_of(model), version=version, **said)
    inner.unlink()


def keep_tree(path: Path, **said: object) -> None:
    note(path, "keras-h5", tensors_of(path), **said)


def tensors_of(path: Path) -> list[Tensor]:
    import h5py

    found: list[Tensor] = []
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                found.append((name, NUMPY[item.dtype.name], list(item.shape)))
                if isinstance(item, h5py.Dataset)
                else None
            )
        )
    return found


def layers_of(model: Any) -> list[str]:
    """The classes in the model, by Keras' own walk over it."""
    kinds = {type(layer).__name__ for layer in model._flatten_layers(include_self=True, recursive=True)}
    return sorted(kinds)


if __name__ == "__main__":
    main(write)
