"""SavedModel folders by TensorFlow, through the signature that serves."""

from __future__ import annotations

import contextlib
import importlib
import os
from typing import Any

from weigh.core.engine import Engine, Failed, Launch
from weigh.core.work import Fault
from weigh.engines.arrays import Port
from weigh.engines.plain import Plain, outputs, works_of

SIGNATURE = "serving_default"


def load(launch: Launch) -> Plain:
    """In the child. Raises Failed where it has no signature."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    tensorflow = importlib.import_module("tensorflow")

    with contextlib.suppress(RuntimeError):  # once it has begun it keeps its threads
        tensorflow.config.threading.set_intra_op_parallelism_threads(launch.threads or 0)
    path = launch.path if os.path.isdir(launch.path) else os.path.dirname(os.path.abspath(launch.path))
    model = tensorflow.saved_model.load(path)
    signatures = dict(model.signatures)
    if not signatures:
        raise Failed(Fault(kind="unsupported", detail="it has no signature to be called by"))
    call = signatures.get(SIGNATURE) or next(iter(signatures.values()))
    ports = [_port(name, spec) for name, spec in call.structured_input_signature[1].items()]

    def infer(given: dict[str, Any]) -> dict[str, Any]:
        assert model is not None  # kept here: a signature holds no more than a weak reference to it
        made = call(**{name: tensorflow.constant(value) for name, value in given.items()})
        return {name: value.numpy() for name, value in outputs(made).items()}

    return Plain(ports, infer)


def _port(name: str, spec: Any) -> Port:
    shape = tuple(spec.shape) if spec.shape.rank is not None else None
    return Port(name=name, dtype=spec.dtype.as_numpy_dtype.__name__, shape=shape)


ENGINE = Engine(
    name="tensorflow",
    extra="tensorflow",
    needs=("tensorflow", "numpy"),
    reach="child",
    module="weigh.engines.tensorflow",
    works=works_of("tf-savedmodel"),
)
