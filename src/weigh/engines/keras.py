"""Keras models, as archives and as HDF5, in safe mode: no Python that lies in the file is run."""

from __future__ import annotations

import importlib
import importlib.util
import os
import tempfile
from typing import Any

from weigh.core.engine import Engine, Launch
from weigh.engines.arrays import Port
from weigh.engines.plain import Plain, outputs, works_of

_SUFFIXES = {"keras": ".keras", "keras-h5": ".h5"}
_BACKENDS = ("tensorflow", "jax", "torch")


def load(launch: Launch) -> Plain:
    """In the child, by the first backend that is here."""
    here = next((name for name in _BACKENDS if importlib.util.find_spec(name) is not None), _BACKENDS[0])
    os.environ.setdefault("KERAS_BACKEND", here)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    keras = importlib.import_module("keras")

    with tempfile.TemporaryDirectory(prefix="weigh-") as folder:
        named = os.path.join(folder, "model" + _SUFFIXES[launch.format])  # the library goes by the suffix
        os.symlink(os.path.abspath(launch.path), named)
        model = keras.saving.load_model(named, compile=False, safe_mode=True)
    ports = [Port(name=one.name, dtype=one.dtype, shape=tuple(one.shape)) for one in model.inputs]
    names = [one.name for one in model.outputs]

    def infer(given: dict[str, Any]) -> dict[str, Any]:
        made = model(list(given.values()) if len(given) > 1 else next(iter(given.values())), training=False)
        return {name: keras.ops.convert_to_numpy(value) for name, value in outputs(made, names).items()}

    return Plain(ports, infer)


ENGINE = Engine(
    name="keras",
    extra="keras",
    needs=("keras", "numpy"),
    reach="child",
    module="weigh.engines.keras",
    works=works_of("keras", "keras-h5"),
)
