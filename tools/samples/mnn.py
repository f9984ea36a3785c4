"""MNN models from its own converter: `python -m tools.samples.mnn OUT`."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tools.samples.oracles import Tensor as Row
from tools.samples.oracles import main, note

ROWS: list[Row] = [
    ("conv.weight", "F32", [8, 3, 3, 3]),
    ("conv.bias", "F32", [8]),
    ("deep.weight", "F32", [8, 1, 3, 3]),
    ("deep.bias", "F32", [8]),
]


OPTIONS = {
    "conv": [],
    "half": ["--fp16"],
    "int8": ["--weightQuantBits", "8"],
    "int4": ["--weightQuantBits", "4"],
    "beside": ["--saveExternalData"],
    "int8-beside": ["--weightQuantBits", "8", "--saveExternalData"],
}


def write(folder: Path) -> None:
    """Every sample and its oracle, below `folder`; the oracle is the ONNX model that it is made from."""
    with tempfile.TemporaryDirectory() as made:
        source = Path(made) / "conv.onnx"
        source.write_bytes(network())
        for name, more in OPTIONS.items():
            path = folder / f"{name}.mnn"
            command = ["mnnconvert", "-f", "ONNX", "--modelFile", str(source), "--MNNModel", str(path), *more]
            subprocess.run([*command, "--bizCode", "weigh"], check=True, stdout=subprocess.DEVNULL)
            packed = {"half": "F16", "int8": "I8", "int4": "I4", "int8-beside": "I8"}.get(name, "F32")
            rows = [(part, packed if part.endswith("weight") else dtype, shape) for part, dtype, shape in ROWS]
            path.with_name(f"{path.name}.weight").unlink(missing_ok=True)
            note(path, "mnn", rows, operators=["Convolution", "ConvolutionDepthwise"])


def network() -> bytes:
    import numpy
    from onnx import TensorProto, helper, numpy_helper

    chance = numpy.random.default_rng(1)

    def constant(name: str, *shape: int) -> TensorProto:
        return numpy_helper.from_array(chance.standard_normal(shape).astype(numpy.float32), name)

    weights = [constant("w", 8, 3, 3, 3), constant("b", 8), constant("d", 8, 1, 3, 3), constant("e", 8)]
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["conv"], name="conv"),
        helper.make_node("Conv", ["conv", "d", "e"], ["deep"], name="deep", group=8),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", [1, 3, 8, 8]), ("deep", [1, 8, 4, 4]))
    ]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


if __name__ == "__main__":
    main(write)
