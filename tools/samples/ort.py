"""An ONNX model in ONNX Runtime's own form: `python -m tools.samples.ort OUT`."""

from __future__ import annotations

from pathlib import Path

from tools.samples.oracles import main, note


def write(folder: Path) -> None:
    """The sample and its oracle, below `folder`; the oracle is the ONNX model that it is made from."""
    import numpy
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    weight = numpy_helper.from_array(numpy.ones((4, 3), numpy.float32), "weight")
    bias = numpy_helper.from_array(numpy.zeros(3, numpy.float32), "bias")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, width]) for name, width in (("x", 4), ("y", 3))]
    nodes = [helper.make_node("Gemm", ["x", "weight", "bias"], ["z"]), helper.make_node("Tanh", ["z"], ["y"])]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], [weight, bias])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.optimized_model_filepath = str(folder / "gemm.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    rows = [(one.name, "F32", list(one.dims)) for one in graph.initializer]
    note(folder / "gemm.ort", "onnx", rows, operators=sorted({node.op_type for node in nodes}))


if __name__ == "__main__":
    main(write)
