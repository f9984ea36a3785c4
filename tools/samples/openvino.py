"""OpenVINO's IR made with openvino 2026.4: `python -m tools.samples.openvino OUT`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops

from tools.samples.oracles import main, note

TYPES = {"f32": "F32", "f16": "F16", "i64": "I64", "i32": "I32", "i8": "I8", "u8": "U8", "u4": "U4", "bf16": "BF16"}

# Version 7 had precisions on layers and blobs without shapes; openvino no longer writes it.
OLD = """<?xml version="1.0" ?>
<net batch="1" name="old" version="7">
  <layers>
    <layer id="0" name="data" precision="FP32" type="Input"><output><port id="0"><dim>1</dim></port></output></layer>
    <layer id="1" name="conv" precision="FP16" type="Convolution">
      <data kernel="3,3" output="2"/>
      <blobs><weights offset="0" size="36"/><biases offset="36" size="4"/></blobs>
    </layer>
  </layers>
  <edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges>
</net>
"""


def write(folder: Path) -> None:
    """A network with constants of several types, and one as it was written before 2020."""
    x = ops.parameter([-1, 4], np.float32, name="x")
    weight = ops.constant(np.ones((4, 3), np.float16), name="weight")
    wide = ops.convert(weight, "f32", name="wide")
    product = ops.matmul(x, wide, False, False, name="product")
    bias = ops.constant(np.zeros((1, 3), np.float32), name="bias")
    table = ops.constant(np.arange(6, dtype=np.int64).reshape(2, 3), name="table")
    total = ops.add(ops.add(product, bias, name="sum"), ops.convert(ops.reduce_sum(table, 0), "f32"), name="total")
    model = ov.Model([ops.relu(total, name="y")], [x], "small")
    path = folder / "small.xml"
    ov.save_model(model, path, compress_to_fp16=False)
    path.with_suffix(".bin").unlink()
    nodes = model.get_ops()
    constants = [node for node in nodes if node.get_type_name() == "Constant"]
    tensors = [
        (node.get_friendly_name(), TYPES[node.get_element_type().get_type_name()], list(node.get_shape()))
        for node in constants
    ]
    written = {"Relu": "ReLU"}  # a few names differ in the file
    types = {node.get_type_name() for node in nodes} - {"Constant"}
    operators = sorted(written.get(one, one) for one in types)
    note(path, "openvino", tensors, operators=operators, inputs=["x"], version="11")
    path = folder / "old.xml"
    path.write_text(OLD, "utf-8")
    tensors = [("conv.weights", "F16", [18]), ("conv.biases", "F16", [2])]
    note(path, "openvino", tensors, operators=["Convolution", "Input"], inputs=["data"], version="7")


if __name__ == "__main__":
    main(write)
