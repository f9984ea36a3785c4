"""ONNX by onnxruntime: plain files by their signature, repositories by what they bring beside the graph."""

from __future__ import annotations

import os
from typing import Any

from weigh.core.engine import Candidate, Engine, Failed, Launch, Loaded
from weigh.core.work import Fault, Work
from weigh.engines import onnx_pictured, onnx_text
from weigh.engines.arrays import Port
from weigh.engines.plain import Plain

# Where repositories keep the model, the most exact first.
_FILES = ("model.onnx", "onnx/model.onnx", "onnx/decoder_model.onnx", "decoder_model.onnx")
_TYPES = {"float": "float32", "double": "float64"}
_WORKS: tuple[Work, ...] = ("embed", "rerank", "classify", "complete")


def load(launch: Launch) -> Loaded:
    """In the child. Raises Failed."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if launch.threads:
        options.intra_op_num_threads = launch.threads
    here = onnxruntime.get_available_providers()
    wanted = [one for one in here if launch.device and launch.device.lower() in one.lower()]
    session = onnxruntime.InferenceSession(_file(launch.path), options, providers=[*wanted, "CPUExecutionProvider"])
    inputs = {one.name for one in session.get_inputs()}
    if launch.works[0] == "compute":
        return Plain([_port(one) for one in session.get_inputs()], lambda given: _run(session, given))
    if launch.works[0] == "classify" and "pixel_values" in inputs:
        return onnx_pictured.Pictured(session, launch)
    if "input_ids" not in inputs:
        detail = f"its inputs are {', '.join(sorted(inputs))}: use --work compute"
        raise Failed(Fault(kind="unsupported", detail=detail))
    return onnx_text.opened(session, launch)


def _run(session: Any, given: dict[str, Any]) -> dict[str, Any]:
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(None, given), strict=True))


def _file(path: str) -> str:
    if not os.path.isdir(path):
        return path
    usual = (os.path.join(path, *name.split("/")) for name in _FILES)
    found = next((name for name in usual if os.path.isfile(name)), None)
    if found is not None:
        return found
    others = sorted(os.path.join(root, name) for root, _, names in os.walk(path) for name in names)
    return next(name for name in others if name.endswith(".onnx"))


def _port(told: Any) -> Port:
    """`tensor(float)`, and a shape whose free dimensions are words."""
    inner = told.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(size if isinstance(size, int) else None for size in told.shape)
    return Port(
        name=told.name, dtype=_TYPES.get(inner, inner) if told.type.startswith("tensor(") else None, shape=shape
    )


def _works(candidate: Candidate) -> tuple[Work, ...]:
    if candidate.format != "onnx":
        return ()
    works = ("complete", *candidate.works) if candidate.works[:1] == ("chat",) else candidate.works
    return tuple(dict.fromkeys((*(work for work in works if work in _WORKS), "compute")))


ENGINE = Engine(
    name="onnxruntime",
    extra="onnx",
    needs=("onnxruntime", "numpy"),
    reach="child",
    module="weigh.engines.onnxruntime",
    works=_works,
)
