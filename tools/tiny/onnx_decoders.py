"""A small language model as exporters write decoders in ONNX: without a cache, with one, in two graphs, merged."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

READS = ("input_ids", "attention_mask", "position_ids")


def write(folder: Path, *, text: Path) -> None:
    """`uncached`, `cached`, `split` and `merged`, of the repository of tools/tiny/text.py."""
    model = _model(text / "repository")
    for name in ("uncached", "cached", "split", "merged"):
        shutil.copytree(text / "repository", folder / name, ignore=shutil.ignore_patterns("*.safetensors"))
        (folder / name / "onnx").mkdir()
    export(model, folder / "uncached" / "onnx" / "model.onnx", has_past=False, keeps=False)
    first, later = (folder / "split" / "onnx" / f"decoder_{part}model.onnx" for part in ("", "with_past_"))
    export(model, first, has_past=False)
    export(model, later, has_past=True)
    shutil.copy(later, folder / "cached" / "onnx" / "model.onnx")
    merge(first, later, folder / "merged" / "onnx" / "decoder_model_merged.onnx")


def write_by_dynamo(folder: Path, *, text: Path) -> None:
    """`cached` alone, by torch's exporter of today; it wants onnxscript."""
    shutil.copytree(text / "repository", folder / "cached", ignore=shutil.ignore_patterns("*.safetensors"))
    export(_model(text / "repository"), folder / "cached" / "model.onnx", has_past=True, dynamo=True)


def _model(path: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(path, attn_implementation="eager").eval()


def export(model: Any, path: Path, *, has_past: bool, keeps: bool = True, dynamo: bool = False) -> None:
    """Under the names of optimum: past_key_values.N.key, present.N.key."""
    import torch

    config = model.config
    width = config.hidden_size // config.num_attention_heads
    batch, length, past = 2, 3, 4 if has_past else 0
    kept = [f"{layer}.{half}" for layer in range(config.num_hidden_layers) for half in ("key", "value")]
    before = [f"past_key_values.{name}" for name in kept] if has_past else []
    after = [f"present.{name}" for name in kept] if keeps else []
    given = (
        torch.ones(batch, length, dtype=torch.long),
        torch.ones(batch, past + length, dtype=torch.long),
        torch.arange(past, past + length).expand(batch, length),
        *(torch.zeros(batch, config.num_key_value_heads, past, width) for _ in before),
    )
    free: dict[str, dict[int, str]] = {name: {0: "batch", 1: "length"} for name in (*READS, "logits")}
    free["attention_mask"] = {0: "batch", 1: "total"}
    free |= {name: {0: "batch", 2: "past"} for name in before} | {name: {0: "batch", 2: "total"} for name in after}
    names: dict[str, Any] = {"input_names": [*READS, *before], "output_names": ["logits", *after], "opset_version": 18}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if dynamo:
            shapes = [dict.fromkeys(free[name], torch.export.Dim.DYNAMIC) for name in (*READS, *before)]
            moving = (*shapes[:3], tuple(shapes[3:]))
            names |= {"dynamic_shapes": moving, "verbose": False}
            torch.onnx.export(_cached(model, keeps=keeps), given, str(path), dynamo=True, **names)
        else:
            torch.onnx.export(_cached(model, keeps=keeps), given, str(path), dynamo=False, dynamic_axes=free, **names)


def _cached(model: Any, *, keeps: bool) -> Any:
    import torch
    from transformers import DynamicCache

    class Cached(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, position_ids: Any, *past: Any) -> Any:
            cache = DynamicCache([(past[at], past[at + 1]) for at in range(0, len(past), 2)])
            told = self.model(
                input_ids=input_ids,
                attention_mask=attention_mask,
                position_ids=position_ids,
                past_key_values=cache,
                use_cache=True,
            )
            kept = [half for layer in told.past_key_values.layers for half in (layer.keys, layer.values)]
            return (told.logits, *kept) if keeps else told.logits

    return Cached().eval()


def merge(first: Path, later: Path, path: Path) -> None:
    """One graph of both: `use_cache_branch` says which is run."""
    import onnx
    from onnx import TensorProto, compose, helper

    parts = {}
    for name, one in (("later", later), ("first", first)):
        model = onnx.load(one)
        parts[name] = compose.add_prefix(model, f"{name}/", rename_inputs=False).graph
    outputs = [output.name.removeprefix("later/") for output in parts["later"].output]
    branches = {
        branch: helper.make_graph(list(graph.node), branch, [], list(graph.output), list(graph.initializer))
        for branch, graph in (("then_branch", parts["later"]), ("else_branch", parts["first"]))
    }
    node = helper.make_node("If", ["use_cache_branch"], outputs, **branches)
    told = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, _shape(output))
        for name, output in zip(outputs, parts["later"].output, strict=True)
    ]
    asked = [*parts["later"].input, helper.make_tensor_value_info("use_cache_branch", TensorProto.BOOL, [1])]
    graph = helper.make_graph([node], "merged", asked, told)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


def _shape(output: Any) -> list[str | int]:
    return [one.dim_param or one.dim_value for one in output.type.tensor_type.shape.dim]
