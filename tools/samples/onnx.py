"""ONNX models and tensors made with onnx: `python -m tools.samples.onnx OUT`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, helper, numpy_helper

from tools.samples.oracles import Tensor, main, note

DTYPES = {
    TensorProto.FLOAT: "F32",
    TensorProto.UINT8: "U8",
    TensorProto.INT8: "I8",
    TensorProto.UINT16: "U16",
    TensorProto.INT16: "I16",
    TensorProto.INT32: "I32",
    TensorProto.INT64: "I64",
    TensorProto.STRING: "STRING",
    TensorProto.BOOL: "BOOL",
    TensorProto.FLOAT16: "F16",
    TensorProto.DOUBLE: "F64",
    TensorProto.UINT32: "U32",
    TensorProto.UINT64: "U64",
    TensorProto.COMPLEX64: "C64",
    TensorProto.COMPLEX128: "C128",
    TensorProto.BFLOAT16: "BF16",
    TensorProto.FLOAT8E4M3FN: "F8_E4M3",
    TensorProto.FLOAT8E4M3FNUZ: "F8_E4M3FNUZ",
    TensorProto.FLOAT8E5M2: "F8_E5M2",
    TensorProto.FLOAT8E5M2FNUZ: "F8_E5M2FNUZ",
    TensorProto.UINT4: "U4",
    TensorProto.INT4: "I4",
    TensorProto.FLOAT4E2M1: "F4",
    TensorProto.FLOAT8E8M0: "F8_E8M0",
}
FEW = (4, 6)


def write(folder: Path) -> None:
    """Every sample and its oracle."""
    save(linear(), folder / "linear.onnx")
    save(branches(), folder / "branches.onnx")
    save(every_dtype(), folder / "every-dtype.onnx")
    save(quantised(), folder / "quantised.onnx")
    save(function(), folder / "function.onnx")
    save(training(), folder / "training.onnx")
    save(sparse(), folder / "sparse.onnx")
    external(folder)


def write_tensors(folder: Path) -> None:
    """Lone tensors, as the conformance tests of ONNX keep their inputs."""
    one = numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3), "x")
    save_tensor(one, folder / "input_0.pb", [one])
    typed = helper.make_tensor("typed", TensorProto.INT64, [3], [1, -2, 300])
    save_tensor(typed, folder / "typed.pb", [typed])
    text = helper.make_tensor("", TensorProto.STRING, [2], [b"one", b"two"])
    save_tensor(text, folder / "text.pb", [text])
    many = numpy_helper.from_list([np.zeros((2, 2), np.float32), np.ones(3, np.float32)], "many")
    save_tensor(many, folder / "sequence.pb", list(many.tensor_values))


def save(model: ModelProto, path: Path) -> None:
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))
    note(
        path,
        "onnx",
        tensors_of(model),
        opsets={entry.domain or "ai.onnx": entry.version for entry in model.opset_import},
        operators=sorted({name(node) for node in nodes_of(model)}),
        inputs=[one.name for one in model.graph.input if one.name not in {i.name for i in model.graph.initializer}],
        outputs=[one.name for one in model.graph.output],
    )


def save_tensor(message: object, path: Path, tensors: list[TensorProto]) -> None:
    path.write_bytes(message.SerializeToString())  # type: ignore[attr-defined]
    note(
        path,
        "onnx-tensor",
        [
            (one.name or ("" if len(tensors) == 1 else str(number)), DTYPES[one.data_type], list(one.dims))
            for number, one in enumerate(tensors)
        ],
    )


def name(node: onnx.NodeProto) -> str:
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def graphs_of(model: ModelProto) -> list[tuple[str, object]]:
    """Every graph and function, inner ones included, with what its tensors' names begin with."""
    roots: list[tuple[str, object]] = [("", model.graph)]
    roots += [("training/", graph) for one in model.training_info for graph in (one.initialization, one.algorithm)]
    roots += [(f"{one.name}/", one) for one in model.functions]
    found = []
    while roots:
        stem, graph = roots.pop()
        found.append((stem, graph))
        for number, node in enumerate(graph.node):  # type: ignore[attr-defined]
            for attribute in node.attribute:
                inner = f"{stem}{node.name or f'{node.op_type}_{number}'}/{attribute.name}/"
                if attribute.type == AttributeProto.GRAPH:
                    roots.append((inner, attribute.g))
    return found


def nodes_of(model: ModelProto) -> list[onnx.NodeProto]:
    return [node for _, graph in graphs_of(model) for node in graph.node]  # type: ignore[attr-defined]


def tensors_of(model: ModelProto) -> list[Tensor]:
    found: list[Tensor] = []
    for stem, graph in graphs_of(model):
        if isinstance(graph, GraphProto):
            found += [(stem + one.name, DTYPES[one.data_type], list(one.dims)) for one in graph.initializer]
            for one in graph.sparse_initializer:
                found.append((stem + one.values.name, DTYPES[one.values.data_type], list(one.values.dims)))
                name = f"{stem}{one.values.name}/indices"
                found.append((name, DTYPES[one.indices.data_type], list(one.indices.dims)))
        for node in graph.node:  # type: ignore[attr-defined]
            for attribute in node.attribute:
                if attribute.type == AttributeProto.TENSOR:
                    found.append((stem + node.output[0], DTYPES[attribute.t.data_type], list(attribute.t.dims)))
    return found


def model(graph: GraphProto, **options: object) -> ModelProto:
    options.setdefault("opset_imports", [helper.make_opsetid("", 21)])
    return helper.make_model(graph, ir_version=10, producer_name="weigh", producer_version="1", **options)


def value(name: str, shape: list[object] | None = None, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape if shape is not None else ["batch", 4])


def linear() -> ModelProto:
    """One layer, its bias in float_data and its reshape's target in a Constant."""
    weight = numpy_helper.from_array(np.ones(FEW, np.float32), "weight")
    bias = helper.make_tensor("bias", TensorProto.FLOAT, [6], [0.5] * 6)
    shape = helper.make_tensor("value", TensorProto.INT64, [2], [-1, 6])
    nodes = [
        helper.make_node("MatMul", ["x", "weight"], ["product"], name="matmul"),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node("Constant", [], ["target"], value=shape),
        helper.make_node("Reshape", ["sum", "target"], ["y"]),
    ]
    graph = helper.make_graph(nodes, "linear", [value("x"), value("bias", [6])], [value("y", ["n", 6])], [weight, bias])
    made = model(graph)
    helper.set_model_props(made, {"author": "someone"})
    return made


def branches() -> ModelProto:
    """Weights in both arms of an If, and in a Loop inside one of them."""

    def arm(name: str, rows: int, *, inner: bool = False) -> GraphProto:
        held = numpy_helper.from_array(np.full((rows, 2), 2.0, np.float32), "held")
        nodes = [helper.make_node("Identity", ["held"], [f"{name}_out"])]
        if inner:
            step = helper.make_graph(
                [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["v", "deep"], ["w"])],
                "step",
                [value("i", [], TensorProto.INT64), value("go", [], TensorProto.BOOL), value("v", [2, 2])],
                [value("on", [], TensorProto.BOOL), value("w", [2, 2])],
                [numpy_helper.from_array(np.ones((2, 2), np.float16).astype(np.float32), "deep")],
            )
            nodes = [
                helper.make_node("Constant", [], ["times"], value=helper.make_tensor("t", TensorProto.INT64, [], [3])),
                helper.make_node("Loop", ["times", "", "held"], [f"{name}_out"], name="loop", body=step),
            ]
        return helper.make_graph(nodes, name, [], [value(f"{name}_out", [rows, 2])], [held])

    choice = helper.make_node(
        "If", ["which"], ["y"], name="if", then_branch=arm("then", 2, inner=True), else_branch=arm("else", 2)
    )
    return model(helper.make_graph([choice], "branches", [value("which", [], TensorProto.BOOL)], [value("y", [2, 2])]))


def every_dtype() -> ModelProto:
    """A tensor of each type, raw; the small floats and four-bit integers packed."""
    tensors = []
    for kind, dtype in DTYPES.items():
        if kind == TensorProto.STRING:
            tensors.append(helper.make_tensor(dtype, kind, [2], [b"a", b"bc"]))
            continue
        bits = {"U4": 4, "I4": 4, "F4": 4, "C64": 64, "C128": 128}.get(dtype)
        if bits is None:
            bits = 8 * helper.tensor_dtype_to_np_dtype(kind).itemsize
        tensors.append(helper.make_tensor(dtype, kind, [2, 3], bytes(6 * bits // 8), raw=True))
    halves = helper.make_tensor("halves", TensorProto.FLOAT16, [3], [1.0, 2.0, 3.0])  # in int32_data
    node = helper.make_node("Identity", ["F32"], ["y"])
    return model(
        helper.make_graph([node], "dtypes", [], [value("y", [2, 3])], [*tensors, halves]),
        opset_imports=[helper.make_opsetid("", 23)],
    )


def quantised() -> ModelProto:
    """Four bits by ONNX Runtime's own operator, eight by the standard ones."""
    nodes = [
        helper.make_node(
            "MatMulNBits", ["x", "packed", "scales"], ["h"], domain="com.microsoft", K=32, N=2, bits=4, block_size=32
        ),
        helper.make_node("DequantizeLinear", ["eight", "scale", "zero"], ["wide"]),
        helper.make_node("MatMul", ["h", "wide"], ["y"]),
    ]
    tensors = [
        numpy_helper.from_array(np.zeros((2, 1, 16), np.uint8), "packed"),
        numpy_helper.from_array(np.ones(2, np.float32), "scales"),
        numpy_helper.from_array(np.zeros((2, 3), np.int8), "eight"),
        numpy_helper.from_array(np.float32(0.1), "scale"),
        numpy_helper.from_array(np.int8(0), "zero"),
    ]
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    graph = helper.make_graph(nodes, "quantised", [value("x", ["n", 32])], [value("y", ["n", 3])], tensors)
    return model(graph, opset_imports=opsets)


def function() -> ModelProto:
    """A function of the model's own, with a constant in its body."""
    one = helper.make_tensor("t", TensorProto.FLOAT, [1], [1.0])
    body = [helper.make_node("Constant", [], ["one"], value=one), helper.make_node("Add", ["a", "one"], ["b"])]
    opset = helper.make_opsetid("", 21)
    plus = helper.make_function("mine", "PlusOne", ["a"], ["b"], body, [opset])
    node = helper.make_node("PlusOne", ["x"], ["y"], domain="mine")
    graph = helper.make_graph([node], "calls", [value("x")], [value("y")])
    return model(graph, functions=[plus], opset_imports=[opset, helper.make_opsetid("mine", 1)])


def training() -> ModelProto:
    """A model that says how it is trained."""
    made = linear()
    step = helper.make_tensor("step", TensorProto.INT64, [], [1])
    info = made.training_info.add()
    info.algorithm.CopyFrom(
        helper.make_graph([helper.make_node("Identity", ["step"], ["next"])], "train", [], [], [step])
    )
    return made


def sparse() -> ModelProto:
    """A sparse initializer."""
    values = helper.make_tensor("sparse", TensorProto.FLOAT, [2], [1.0, 2.0])
    indices = helper.make_tensor("where", TensorProto.INT64, [2], [0, 5])
    graph = helper.make_graph([helper.make_node("Identity", ["sparse"], ["y"])], "g", [], [value("y", [2, 3])])
    graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [2, 3]))
    return model(graph)


def external(folder: Path) -> None:
    """Weights in a file beside it."""
    made = linear()
    onnx.external_data_helper.convert_model_to_external_data(made, location="weights.bin", size_threshold=0)
    onnx.save(made, folder / "external.onnx")
    (folder / "weights.bin").unlink()
    note(folder / "external.onnx", "onnx", tensors_of(linear()), external=["weights.bin"])


if __name__ == "__main__":
    main(write)
