"""Core ML models made with coremltools 9.0: `python -m tools.samples.coreml OUT`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import coremltools as ct
import numpy as np
from coremltools.converters.mil import Builder as mb
from coremltools.models import datatypes
from coremltools.models.neural_network import NeuralNetworkBuilder
from coremltools.models.utils import load_spec

from tools.samples.oracles import Tensor, main, note


def write(folder: Path) -> None:
    """Every sample and its oracle."""
    network(folder / "network.mlmodel")
    recurrent(folder / "recurrent.mlmodel")
    custom(folder / "custom.mlmodel")
    pipeline(folder)
    trees(folder / "glm.mlmodel")
    program(folder)


def described(path: Path, spec: ct.proto.Model_pb2.Model, tensors: list[Tensor]) -> None:
    note(
        path,
        "coreml",
        tensors,
        type=spec.WhichOneof("Type"),
        version=str(spec.specificationVersion),
        inputs=[one.name for one in spec.description.input],
        outputs=[one.name for one in spec.description.output],
    )


def builder() -> NeuralNetworkBuilder:
    made = NeuralNetworkBuilder([("x", datatypes.Array(3, 8, 8))], [("y", datatypes.Array(2))])
    made.add_convolution(
        "conv",
        3,
        4,
        3,
        3,
        1,
        1,
        "same",
        1,
        np.ones((3, 3, 3, 4), np.float32),
        np.zeros(4),
        True,
        input_name="x",
        output_name="c",
    )
    made.add_batchnorm("norm", 4, np.ones(4), np.zeros(4), np.zeros(4), np.ones(4), input_name="c", output_name="n")
    made.add_flatten("flat", 0, "n", "f")
    made.add_inner_product("dense", np.ones((2, 256), np.float32), np.zeros(2), 256, 2, True, "f", "y")
    return made


CONV: list[Tensor] = [("conv.weights", "F32", [4, 3, 3, 3]), ("conv.bias", "F32", [4])]
NORM: list[Tensor] = [(f"norm.{name}", "F32", [4]) for name in ("gamma", "beta", "mean", "variance")]
DENSE: list[Tensor] = [("dense.weights", "F32", [2, 256]), ("dense.bias", "F32", [2])]


def network(path: Path) -> None:
    """Four layers; once more with weights of sixteen and of eight bits."""
    spec = builder().spec
    path.write_bytes(spec.SerializeToString())
    layers = spec.neuralNetwork.layers
    assert [one.WhichOneof("layer") for one in layers] == ["convolution", "batchnorm", "flatten", "innerProduct"]
    assert len(layers[0].convolution.weights.floatValue) == 4 * 3 * 3 * 3
    described(path, spec, CONV + NORM + DENSE)
    dense = layers[3].innerProduct.weights
    half = np.array(dense.floatValue, np.float16).tobytes()
    del dense.floatValue[:]
    dense.float16Value = half
    conv = layers[0].convolution.weights
    del conv.floatValue[:]
    conv.rawValue = bytes(108)
    conv.quantization.numberOfBits = 8
    conv.quantization.linearQuantization.scale.append(0.1)
    small = path.with_name("quantised.mlmodel")
    small.write_bytes(spec.SerializeToString())
    dense_half = [("dense.weights", "F16", [2, 256]), DENSE[1]]
    described(small, spec, [("conv.weights", "U8", [4, 3, 3, 3]), CONV[1], *NORM, *dense_half])


def recurrent(path: Path) -> None:
    """An LSTM."""
    made = NeuralNetworkBuilder([("x", datatypes.Array(3))], [("y", datatypes.Array(2))])
    wide, square, flat = [np.ones((2, 3))] * 4, [np.ones((2, 2))] * 4, [np.ones(2)] * 4
    made.add_unilstm("lstm", square, wide, flat, 2, 3, ["x", "h", "c"], ["y", "ho", "co"])
    path.write_bytes(made.spec.SerializeToString())
    gates = ("input", "forget", "block", "output")
    tensors = [
        (f"lstm.{gate}.{kind}", "F32", [size])
        for gate in gates
        for kind, size in (("weights", 6), ("recursion", 4), ("bias", 2))
    ]
    described(path, made.spec, tensors)


def custom(path: Path) -> None:
    """A layer whose class is the app's own."""
    made = NeuralNetworkBuilder([("x", datatypes.Array(3))], [("y", datatypes.Array(3))])
    parameters = ct.proto.NeuralNetwork_pb2.CustomLayerParams()
    parameters.className = "MyOwnLayer"
    parameters.weights.add().floatValue.extend([1.0, 2.0, 3.0])
    made.add_custom("own", ["x"], ["y"], parameters)
    path.write_bytes(made.spec.SerializeToString())
    described(path, made.spec, [("own.weights", "F32", [3])])


def pipeline(folder: Path) -> None:
    """Two models, one behind the other."""
    spec = ct.proto.Model_pb2.Model()
    spec.specificationVersion = 4
    spec.description.input.add().name = "x"
    spec.description.output.add().name = "y"
    for name in ("one", "two"):
        spec.pipeline.models.add().CopyFrom(builder().spec)
        spec.pipeline.names.append(name)
    path = folder / "pipeline.mlmodel"
    path.write_bytes(spec.SerializeToString())
    described(path, spec, [(f"{name}/{one}", *rest) for name in ("one", "two") for one, *rest in CONV + NORM + DENSE])


def trees(path: Path) -> None:
    """A linear model: no tensors, but recognised."""
    spec = ct.proto.Model_pb2.Model()
    spec.specificationVersion = 1
    spec.description.input.add().name = "x"
    spec.description.output.add().name = "y"
    spec.glmRegressor.weights.add().value.extend([1.0, 2.0])
    path.write_bytes(spec.SerializeToString())
    described(path, spec, [])


def program(folder: Path) -> None:
    """An ML program: the model of a package, and its file of weights."""

    @mb.program(input_specs=[mb.TensorSpec(shape=(1, 16))], opset_version=ct.target.iOS16)
    def small(x):  # type: ignore[no-untyped-def]
        hidden = mb.linear(x=x, weight=np.ones((8, 16), np.float32), bias=np.zeros(8, np.float32), name="dense")
        return mb.relu(x=hidden, name="y")

    with tempfile.TemporaryDirectory() as name:
        made = ct.convert(small, convert_to="mlprogram", compute_precision=ct.precision.FLOAT32, skip_model_load=True)
        package = Path(name) / "small.mlpackage"
        made.save(str(package))
        root = package / "Data" / "com.apple.CoreML"
        spec = load_spec(str(package))
        path = folder / "program.mlmodel"
        shutil.copy(root / "model.mlmodel", path)
        described(path, spec, constants(spec) + in_place(spec))
        shutil.copy(root / "weights" / "weight.bin", folder / "weight.bin")
        sizes = [one[2] for one in constants(spec)]
        at, entries = 64, []
        for size in sizes:
            entries.append((str(at), "F32", [int(np.prod(size))]))
            at = -(-(at + 64 + 4 * int(np.prod(size))) // 64) * 64
        note(folder / "weight.bin", "coreml", entries)


def constants(spec: ct.proto.Model_pb2.Model) -> list[Tensor]:
    """What lies in the file of weights, in its order."""
    [function] = spec.mlProgram.functions.values()
    [block] = function.block_specializations.values()
    found = []
    for operation in block.operations:
        value = dict(operation.attributes).get("val")
        if value is not None and value.WhichOneof("value") == "blobFileValue":
            shape = [one.constant.size for one in value.type.tensorType.dimensions]
            found.append((value.blobFileValue.offset, (operation.outputs[0].name, "F32", shape)))
    return [tensor for _, tensor in sorted(found)]


def in_place(spec: ct.proto.Model_pb2.Model) -> list[Tensor]:
    """Floats that are too few for the file of weights."""
    [function] = spec.mlProgram.functions.values()
    [block] = function.block_specializations.values()
    values = [(one.outputs[0].name, one.attributes["val"]) for one in block.operations if "val" in one.attributes]
    return [
        (name, "F32", [one.constant.size for one in value.type.tensorType.dimensions])
        for name, value in values
        if value.WhichOneof("value") == "immediateValue" and value.type.tensorType.rank
    ]


if __name__ == "__main__":
    main(write)
