"""OpenVINO's IR on this machine's processor, or on the device that is named."""

from __future__ import annotations

from typing import Any

from weigh.core.engine import Engine, Launch
from weigh.engines.arrays import Port
from weigh.engines.plain import Plain, works_of


def load(launch: Launch) -> Plain:
    """In the child; `device` is CPU, GPU or NPU."""
    import openvino

    core = openvino.Core()
    options: dict[str, object] = {"EXECUTION_MODE_HINT": "ACCURACY"}  # in the file's own precision, not a faster one
    if launch.threads and not launch.device:
        options["INFERENCE_NUM_THREADS"] = launch.threads
    model = core.compile_model(core.read_model(launch.path), (launch.device or "CPU").upper(), options)

    def infer(given: dict[str, Any]) -> dict[str, Any]:
        made = model(given)
        return {_name(port, number): made[port] for number, port in enumerate(model.outputs)}

    return Plain([_port(port, number) for number, port in enumerate(model.inputs)], infer)


def _port(port: Any, number: int) -> Port:
    shape = None
    if port.partial_shape.rank.is_static:
        shape = tuple(size.get_length() if size.is_static else None for size in port.partial_shape)
    return Port(name=_name(port, number), dtype=port.element_type.to_dtype().name, shape=shape)


def _name(port: Any, number: int) -> str:
    return str(port.any_name) if port.names else f"port_{number}"


ENGINE = Engine(
    name="openvino",
    extra="openvino",
    needs=("openvino", "numpy"),
    reach="child",
    module="weigh.engines.openvino",
    works=works_of("openvino"),
)
