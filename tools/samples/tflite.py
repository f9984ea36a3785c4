"""TensorFlow Lite models from TensorFlow's own converter: `python -m tools.samples.tflite OUT`."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

from tools.samples.oracles import Tensor as Row
from tools.samples.oracles import main, note

NAMES = {0: "F32", 1: "F16", 2: "I32", 3: "U8", 4: "I64", 5: "STRING", 6: "BOOL", 7: "I16", 9: "I8", 17: "I4"}


def write(folder: Path) -> None:
    """Every sample and its oracle, below `folder`."""
    import tensorflow as tf

    for name, data in {
        "dense": converted(tf, flex=False),
        "dynamic-int8": converted(tf, flex=False, optimised=True),
        "half": converted(tf, flex=False, half=True),
        "flex": converted(tf, flex=True),
    }.items():
        keep(folder / f"{name}.tflite", data)
    keep(folder / "files-behind.tflite", with_files(converted(tf, flex=False)))
    outside = with_buffers_behind(converted(tf, flex=False))
    (folder / "buffers-behind.tflite").write_bytes(outside)
    rows, operators = listed(converted(tf, flex=False))
    note(folder / "buffers-behind.tflite", "tflite", rows, operators=operators)
    keep(folder / "circle.circle", as_circle(converted(tf, flex=False)))


def converted(tf: Any, *, flex: bool, optimised: bool = False, half: bool = False) -> bytes:
    class Net(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            self.kernel = tf.Variable(tf.reshape(tf.range(2048, dtype=tf.float32), (32, 64)) / 2048, name="kernel")
            self.bias = tf.Variable(tf.zeros(64), name="bias")

        @tf.function(input_signature=[tf.TensorSpec((1, 32), tf.float32, name="x")])  # type: ignore[untyped-decorator]
        def serve(self, x: Any) -> Any:
            y = tf.nn.relu(x @ self.kernel + self.bias)
            return {"y": tf.linalg.det(tf.reshape(y, (8, 8))) if flex else y}

    net = Net()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([net.serve.get_concrete_function()], net)
    if flex:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    if optimised or half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if half:
        converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())


def with_buffers_behind(data: bytes) -> bytes:
    """As models beyond 2 GB keep them: offset and size in the buffer's table, the bytes behind the flatbuffer."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(data, 0)
    moved = [(buffer, bytes(buffer.data)) for buffer in model.buffers if buffer.data is not None and len(buffer.data)]
    for number, (buffer, _) in enumerate(moved):
        buffer.data, buffer.offset, buffer.size = None, 1 << 20 | number, 1  # a placeholder of the same width

    def packed() -> bytes:
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    at = len(packed())
    for buffer, content in moved:
        at += -at % 16
        buffer.offset, buffer.size = at, len(content)
        at += len(content)
    whole = packed()
    for _, content in moved:
        whole += bytes(-len(whole) % 16) + content
    return whole


def with_files(data: bytes) -> bytes:
    """The metadata writers append associated files as a zip."""
    packed = io.BytesIO(data)
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(zipfile.ZipInfo("labels.txt"), "cat\ndog\n")
    return packed.getvalue()


def as_circle(data: bytes) -> bytes:
    """Circle keeps to the same schema under an identifier of its own."""
    return data[:4] + b"CIR0" + data[8:]


def keep(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    rows, operators = listed(data[:4] + b"TFL3" + data[8:])
    note(path, "tflite", rows, operators=operators)


def listed(data: bytes) -> tuple[list[Row], list[str]]:
    """Tensors with bytes and the operators' names, as the generated reader has them."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(data, 0)
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    rows: list[Row] = []
    operators: set[str] = set()
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            stored = model.buffers[tensor.buffer].data
            if stored is not None and len(stored):
                shape = [int(length) for length in tensor.shape] if tensor.shape is not None else []
                rows.append((tensor.name.decode(), NAMES[tensor.type], shape))
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            custom = code.customCode
            operators.add(f"custom:{custom.decode()}" if custom else names[code.builtinCode])
    return rows, sorted(operators)


if __name__ == "__main__":
    main(write)
