"""Graphs: TorchScript, torch.export and its packages, ONNX."""

# ruff: noqa: E501  # tables of cases are lines of text
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from tools.honest import Honest


class Gated(nn.Module):
    """A module with branches, loops and a dictionary, for scripting."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
        self.register_buffer("step", torch.zeros(1))
        self.names = ["a", "b"]
        self.table = {"a": 1, "b": 2}

    def forward(self, x: torch.Tensor, flag: bool = True) -> torch.Tensor:
        for layer in self.layers:
            x = torch.relu(layer(x)) if flag else layer(x)
        assert x.shape[-1] == 4, "four wide"
        return x * self.table["a"]


def _scripted(name: str, make: Callable[[], object], **extra: str) -> Honest:
    def write(folder: Path) -> Path:
        torch.jit.save(make(), folder / name, _extra_files=extra)
        return folder / name

    return Honest(name, write)


def _net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2)).eval()


def _exported(name: str, model: Callable[[], nn.Module], example: tuple[torch.Tensor, ...]) -> Honest:
    def write(folder: Path) -> Path:
        torch.export.save(torch.export.export(model(), example), folder / name)
        return folder / name

    return Honest(name, write)


def _mobile(folder: Path) -> Path:
    torch.jit.script(Gated())._save_for_lite_interpreter(str(folder / "mobile.ptl"))
    return folder / "mobile.ptl"


def _packaged(folder: Path) -> Path:
    from torch.package import PackageExporter

    with PackageExporter(str(folder / "packaged.pt")) as exporter:
        exporter.extern(["torch.**"])
        exporter.save_pickle("model", "model.pkl", _net())
        exporter.save_text("notes", "readme.txt", "a package")
    return folder / "packaged.pt"


def _read_packaged(path: Path) -> object:
    from torch.package import PackageImporter

    return PackageImporter(str(path)).load_pickle("model", "model.pkl")


def _onnx(name: str, nodes: list[onnx.NodeProto], **options: object) -> Honest:
    def write(folder: Path) -> Path:
        weights = [numpy_helper.from_array(np.ones((4, 4), dtype=np.float32), "W")]
        graph = helper.make_graph(
            nodes,
            "graph",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 4])],
            weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="by hand")
        model.ir_version = 9
        onnx.save(model, folder / name, **options)
        return folder / name

    return Honest(name, write)


_MATMUL = [helper.make_node("MatMul", ["x", "W"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]


def _branch() -> list[onnx.NodeProto]:
    shape = helper.make_tensor_value_info("b", TensorProto.FLOAT, None)
    then = helper.make_graph([helper.make_node("Identity", ["x"], ["b"])], "then", [], [shape])
    other = helper.make_graph([helper.make_node("Neg", ["x"], ["b"])], "else", [], [shape])
    chosen = helper.make_tensor("c", TensorProto.BOOL, [], [True])
    return [
        helper.make_node("Constant", [], ["c"], value=chosen),
        helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other),
    ]


def _classic(folder: Path) -> Path:
    """A forest as skl2onnx writes one: the operators of machine learning."""
    node = helper.make_node(
        "TreeEnsembleRegressor", ["x"], ["y"], domain="ai.onnx.ml", n_targets=1, nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2], nodes_featureids=[0, 0, 0], nodes_values=[0.5, 0.0, 0.0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"], nodes_truenodeids=[1, 0, 0], nodes_falsenodeids=[2, 0, 0],
        target_treeids=[0, 0], target_nodeids=[1, 2], target_ids=[0, 0], target_weights=[1.0, 2.0],
    )  # fmt: skip
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node], "forest", [value("x", TensorProto.FLOAT, [None, 4])], [value("y", TensorProto.FLOAT, [None, 1])]
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name="skl2onnx")
    model.ir_version = 9
    onnx.save(model, folder / "forest.onnx")
    return folder / "forest.onnx"


def _quantised(folder: Path) -> Path:
    from onnxruntime.quantization import quantize_dynamic

    plain = _onnx("plain.onnx", _MATMUL).write(folder)
    quantize_dynamic(plain, folder / "quantised.onnx")
    return folder / "quantised.onnx"


def _optimised(folder: Path) -> Path:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    onnxruntime.InferenceSession(
        _onnx("plain.onnx", _MATMUL).write(folder), options, providers=["CPUExecutionProvider"]
    )
    return folder / "optimised.onnx"


def _apart(folder: Path) -> Path:
    """Weights beside the graph, as large models have them; the whole folder is checked."""
    inside = folder / "apart"
    inside.mkdir()
    _onnx("model.onnx", _MATMUL, save_as_external_data=True, location="model.onnx.data", size_threshold=0).write(inside)
    return inside


CASES: tuple[Honest, ...] = (
    _scripted("traced.pt", lambda: torch.jit.trace(_net(), torch.ones(1, 3, 4, 4))),
    _scripted("scripted.pt", lambda: torch.jit.script(Gated())),
    _scripted("frozen.pt", lambda: torch.jit.freeze(torch.jit.script(_net()))),
    _scripted("extra.torchscript", lambda: torch.jit.trace(_net(), torch.ones(1, 3, 4, 4)), **{"config.txt": '{"stride": 32, "names": {"0": "person"}}'}),
    _scripted("lstm.pt", lambda: torch.jit.script(nn.LSTM(4, 4))),
    _scripted("attention.pt", lambda: torch.jit.trace(nn.TransformerEncoderLayer(8, 2, 8).eval(), torch.ones(1, 2, 8))),
    _scripted("quantised.pt", lambda: torch.jit.script(torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(4, 4)), {nn.Linear}))),
    Honest("mobile.ptl", _mobile, lambda path: torch.jit.load(path)),
    Honest("packaged.pt", _packaged, _read_packaged, "suspicious|clean|incomplete"),  # it holds programs
    _exported("linear.pt2", lambda: nn.Linear(4, 4), (torch.ones(1, 4),)),
    _exported("net.pt2", _net, (torch.ones(1, 3, 4, 4),)),
    _onnx("matmul.onnx", _MATMUL),
    _onnx("branch.onnx", _branch()),
    Honest("forest.onnx", _classic),
    Honest("quantised.onnx", _quantised),
    Honest("optimised.onnx", _optimised, lambda path: onnx.load(path)),
    Honest("apart", _apart, lambda folder: onnx.checker.check_model(str(folder / "model.onnx"))),
)  # fmt: skip
