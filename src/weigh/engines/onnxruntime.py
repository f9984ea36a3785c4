"""ONNX by onnxruntime: plain files by their signature, repositories by what they bring beside the graph."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from weigh.core.engine import Candidate, Engine, Failed, Launch, Loaded
from weigh.core.work import Fault, Work
from weigh.engines import onnx_paired, onnx_pictured, onnx_text, onnx_written
from weigh.engines.arrays import Port
from weigh.engines.onnx_steps import Graph
from weigh.engines.plain import Plain
from weigh.engines.repository import MOST_TOKENS, positions_of, tokenizer_of

# Where repositories keep the model, the most exact first.
_FILES = (
    *("model.onnx", "onnx/model.onnx", "decoder_model_merged.onnx", "onnx/decoder_model_merged.onnx"),
    *("decoder_model.onnx", "onnx/decoder_model.onnx"),
)
_LATER = "decoder_with_past_model.onnx"  # beside decoder_model.onnx: for all tokens after the prompt
_LOOKS, _READS = ("vision_model.onnx", "onnx/vision_model.onnx"), ("text_model.onnx", "onnx/text_model.onnx")
_TYPES = {"float": "float32", "double": "float64"}
_WORKS: tuple[Work, ...] = ("chat", "complete", "embed", "rerank", "classify")


def load(launch: Launch) -> Loaded:
    """In the child. Raises Failed."""
    path = _file(launch.path)
    looks, reads = _found(launch.path, _LOOKS), _found(launch.path, _READS)
    if launch.works[0] in ("classify", "embed") and path in (looks, reads) and looks and reads:
        return onnx_paired.Paired(_session(looks, launch), _session(reads, launch), launch)
    session = _session(path, launch)
    inputs = {one.name for one in session.get_inputs()}
    if launch.works[0] == "compute":
        return Plain([_port(one) for one in session.get_inputs()], lambda given: _run(session, given))
    if {"pixel_values", "input_ids"} <= inputs and launch.works[0] in ("classify", "embed"):
        return onnx_paired.Paired(session, session, launch)
    if launch.works[0] == "classify" and "pixel_values" in inputs:
        return onnx_pictured.Pictured(session, launch)
    if "input_ids" not in inputs:
        detail = f"its inputs are {', '.join(sorted(inputs))}: use --work compute"
        raise Failed(Fault(kind="unsupported", detail=detail))
    if launch.works[0] in ("chat", "complete"):
        return _writer(session, path, launch)
    return onnx_text.opened(session, launch)


def _writer(session: Any, path: str, launch: Launch) -> Loaded:
    own = positions_of(launch.path)
    graphs = [Graph(session)]
    later = os.path.join(os.path.dirname(path), _LATER)
    if graphs[0].gives and not graphs[0].kept and os.path.isfile(later):
        graphs.append(Graph(_session(later, launch)))
    tokenizer = tokenizer_of(launch.path, MOST_TOKENS)
    return onnx_written.Writer(tuple(graphs), tokenizer, launch, min(launch.context_length or own, own))


def _session(path: str, launch: Launch) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if launch.threads:
        options.intra_op_num_threads = launch.threads
    here = onnxruntime.get_available_providers()
    wanted = [one for one in here if launch.device and launch.device.lower() in one.lower()]
    return onnxruntime.InferenceSession(path, options, providers=[*wanted, "CPUExecutionProvider"])


def _run(session: Any, given: dict[str, Any]) -> dict[str, Any]:
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(None, given), strict=True))


def _file(path: str) -> str:
    if not os.path.isdir(path):
        return path
    found = _found(path, _FILES)
    if found is not None:
        return found
    others = sorted(os.path.join(root, name) for root, _, names in os.walk(path) for name in names)
    return next(name for name in others if name.endswith(".onnx"))


def _found(folder: str, names: Sequence[str]) -> str | None:
    usual = (os.path.join(folder, *name.split("/")) for name in names)
    return next((path for path in usual if os.path.isfile(path)), None)


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
    return tuple(dict.fromkeys((*(work for work in candidate.works if work in _WORKS), "compute")))


ENGINE = Engine(
    name="onnxruntime",
    extra="onnx",
    needs=("onnxruntime", "numpy"),
    reach="child",
    module="weigh.engines.onnxruntime",
    works=_works,
)
