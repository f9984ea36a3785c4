"""TFLite files by LiteRT, the interpreter that came out of TensorFlow Lite."""

from __future__ import annotations

import importlib
import os
from typing import Any

from weigh.core.engine import Engine, Launch
from weigh.engines.arrays import Port
from weigh.engines.plain import Plain, works_of


def load(launch: Launch) -> Plain:
    """In the child."""
    library = importlib.import_module("ai_edge_litert.interpreter")
    model = library.Interpreter(model_path=os.path.abspath(launch.path), num_threads=launch.threads)
    model.allocate_tensors()
    inputs = {one["name"]: one for one in model.get_input_details()}

    def infer(given: dict[str, Any]) -> dict[str, Any]:
        for name, value in given.items():
            model.resize_tensor_input(inputs[name]["index"], value.shape, strict=True)
        model.allocate_tensors()
        for name, value in given.items():
            model.set_tensor(inputs[name]["index"], value)
        model.invoke()
        return {one["name"]: model.get_tensor(one["index"]).copy() for one in model.get_output_details()}

    return Plain([_port(one) for one in inputs.values()], infer)


def _port(told: dict[str, Any]) -> Port:
    """The signature of a shape has -1 where it is free."""
    shape = tuple(None if int(size) < 0 else int(size) for size in told["shape_signature"])
    return Port(name=told["name"], dtype=told["dtype"].__name__, shape=shape)


ENGINE = Engine(
    name="litert",
    extra="litert",
    needs=("ai_edge_litert", "numpy"),
    reach="child",
    module="weigh.engines.litert",
    works=works_of("tflite"),
)
