"""Small models as ONNX: a plain graph by its own library, and repositories that torch exports."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any


def write(folder: Path, *, embedders: Path, seen: Path, text: Path) -> None:
    """`plain.onnx`, and the folders `embedder`, `reranker`, `classifier` and `writer`, of models that lie there."""
    plain(folder / "plain.onnx")
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification

    _export(
        _Bert(AutoModel.from_pretrained(embedders / "bert")),
        embedders / "embedder",
        folder / "embedder",
        "last_hidden_state",
    )
    ranker = AutoModelForSequenceClassification.from_pretrained(embedders / "reranker")
    _export(_Bert(ranker.bert, ranker), embedders / "reranker", folder / "reranker", "logits")
    _classifier(seen / "classifier", folder / "classifier")
    writer = AutoModelForCausalLM.from_pretrained(text / "repository")
    _export(_Causal(writer), text / "repository", folder / "writer", "logits", inputs=("input_ids", "attention_mask"))


def plain(path: Path) -> None:
    """`y = x W + b` of two columns, and the number of its rows in I64."""
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weight = numpy.array([[1, 2], [3, 4], [5, 6]], "float32")
    nodes = [
        helper.make_node("MatMul", ["x", "weight"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["y"]),
        helper.make_node("Shape", ["x"], ["shape"]),
    ]
    graph = helper.make_graph(
        nodes,
        "plain",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 3]),
            helper.make_tensor_value_info("b", TensorProto.FLOAT, [2]),
        ],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 2]),
            helper.make_tensor_value_info("shape", TensorProto.INT64, [2]),
        ],
        [numpy_helper.from_array(weight, "weight")],
    )
    opset = [helper.make_opsetid("", 18)]
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), path)


def _Bert(bert: Any, ranker: Any = None) -> Any:
    """Its layers with a mask that stays free in batch and length."""
    import torch

    class Bert(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bert, self.ranker = bert, ranker

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
            states = self.bert.embeddings(input_ids=input_ids, token_type_ids=token_type_ids)
            hidden = (1.0 - attention_mask[:, None, None, :].float()) * -1e9
            for layer in self.bert.encoder.layer:
                states = layer(states, hidden)
                states = states[0] if isinstance(states, tuple) else states
            return states if self.ranker is None else self.ranker.classifier(self.bert.pooler(states))

    return Bert()


def _Causal(model: Any) -> Any:
    import torch

    class Causal(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            inner = self.model.model
            states = inner.embed_tokens(input_ids)
            places = attention_mask.cumsum(1) - 1
            later = (places[:, None, :] > places[:, :, None]).float() * -1e9
            turns = inner.rotary_emb(states, places)
            for layer in inner.layers:
                states = layer(states, attention_mask=later[:, None], position_embeddings=turns)
                states = states[0] if isinstance(states, tuple) else states
            return self.model.lm_head(inner.norm(states))

    return Causal()


def _export(
    model: Any,
    source: Path,
    folder: Path,
    output: str,
    *,
    inputs: tuple[str, ...] = ("input_ids", "attention_mask", "token_type_ids"),
) -> None:
    import torch

    ids = torch.ones(2, 5, dtype=torch.long)
    free = {key: {0: "batch", 1: "length"} for key in (*inputs, output)}
    _save(model, tuple(ids for _ in inputs), folder, free)
    for path in source.rglob("*"):
        if path.is_file() and path.suffix in (".json", ".jinja", ".txt"):
            to = folder / path.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(path.read_bytes())


def _classifier(source: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForImageClassification

    model = AutoModelForImageClassification.from_pretrained(source, attn_implementation="eager")

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, pixel_values: Any) -> Any:
            return self.model(pixel_values).logits

    free = {"pixel_values": {0: "batch"}, "logits": {0: "batch"}}
    _save(Logits(), (torch.zeros(1, 3, 32, 32),), folder, free)
    for name in ("config.json", "preprocessor_config.json"):
        (folder / name).write_text(json.dumps(json.loads((source / name).read_text())))


def _save(model: Any, given: Any, folder: Path, free: dict[str, dict[int, str]]) -> None:
    """The last of `free` is the output."""
    import torch

    (folder / "onnx").mkdir(parents=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(), given, str(folder / "onnx" / "model.onnx"), input_names=list(free)[:-1],
            output_names=list(free)[-1:], dynamic_axes=free, dynamo=False, opset_version=18,
        )  # fmt: skip
