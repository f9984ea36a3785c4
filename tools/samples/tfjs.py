"""TensorFlow.js models by hand, for its converter wants an old tensorflow: `python -m tools.samples.tfjs OUT`."""

from __future__ import annotations

import json
from pathlib import Path

from tools.samples.oracles import main, note


def write(folder: Path) -> None:
    """A layers model and a graph model with quantised weights."""
    layers = [
        {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 4]}},
        {"class_name": "Dense", "config": {"name": "dense", "units": 3}},
    ]
    config = {"class_name": "Sequential", "config": {"name": "small", "layers": layers}}
    weights = [
        {"name": "dense/kernel", "shape": [4, 3], "dtype": "float32"},
        {"name": "dense/bias", "shape": [3], "dtype": "float32"},
    ]
    model = {
        "format": "layers-model",
        "generatedBy": "keras v2.4.0",
        "convertedBy": "TensorFlow.js Converter v3.7.0",
        "modelTopology": {"keras_version": "2.4.0", "backend": "tensorflow", "model_config": config},
        "weightsManifest": [{"paths": ["group1-shard1of1.bin"], "weights": weights}],
    }
    save(
        folder / "layers.json",
        model,
        [("dense/kernel", "F32", [4, 3]), ("dense/bias", "F32", [3])],
        ["Dense", "InputLayer"],
    )
    nodes = [
        {"name": "x", "op": "Placeholder", "attr": {"dtype": {"type": "DT_FLOAT"}}},
        {"name": "w", "op": "Const", "attr": {"dtype": {"type": "DT_FLOAT"}}},
        {"name": "y", "op": "MatMul", "input": ["x", "w"]},
    ]
    scale = {"min": 0.0, "scale": 0.1, "dtype": "uint8", "original_dtype": "float32"}
    weights = [
        {"name": "w", "shape": [4, 3], "dtype": "float32", "quantization": scale},
        {"name": "shape", "shape": [2], "dtype": "int32"},
    ]
    model = {
        "format": "graph-model",
        "generatedBy": "2.4.0",
        "modelTopology": {"node": nodes, "library": {}, "versions": {"producer": 440}},
        "weightsManifest": [{"paths": ["a.bin", "b.bin"], "weights": weights}],
    }
    tensors = [("w", "U8", [4, 3]), ("shape", "I32", [2])]
    save(folder / "graph.json", model, tensors, ["Const", "MatMul", "Placeholder"])


def save(path: Path, model: dict[str, object], tensors: list[tuple[str, str, list[int]]], operators: list[str]) -> None:
    path.write_text(json.dumps(model), "utf-8")
    note(path, "tfjs", tensors, operators=operators)


if __name__ == "__main__":
    main(write)
