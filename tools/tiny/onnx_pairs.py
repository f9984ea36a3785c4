"""A small CLIP as ONNX, as exporters write it: one graph of both halves, or a graph for each."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any


def write(folder: Path, *, seen: Path) -> None:
    """`whole` and `apart`, of the repository `clip` of tools/tiny/seen.py."""
    from transformers import CLIPModel

    model = CLIPModel.from_pretrained(seen / "clip", attn_implementation="eager").eval()
    for name in ("whole", "apart"):
        (folder / name / "onnx").mkdir(parents=True)
        for path in (seen / "clip").iterdir():
            if path.suffix in (".json", ".txt", ".jinja"):
                (folder / name / path.name).write_bytes(path.read_bytes())
    texts = ("input_ids", "attention_mask")
    logits = ("logits_per_image", "logits_per_text", "text_embeds", "image_embeds")
    _save(model, folder / "whole" / "onnx" / "model.onnx", ("input_ids", "pixel_values", "attention_mask"), logits)
    _save(model, folder / "apart" / "onnx" / "text_model.onnx", texts, ("text_embeds",))
    _save(model, folder / "apart" / "onnx" / "vision_model.onnx", ("pixel_values",), ("image_embeds",))


def _save(model: Any, path: Path, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
    import torch

    ids = torch.tensor([[0, 5, 6, 1, 1], [0, 5, 6, 7, 1]])
    given = {"input_ids": ids, "attention_mask": (ids != 1).long(), "pixel_values": torch.rand(2, 3, 32, 32)}
    free = {name: {0: "pictures"} if name == "pixel_values" else {0: "texts", 1: "length"} for name in inputs}
    free |= {name: {0: "pictures" if name.startswith("image") else "texts"} for name in outputs if "embeds" in name}
    free |= {name: {0: "one", 1: "other"} for name in outputs if name.startswith("logits")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _halves(model, inputs, outputs), tuple(given[name] for name in inputs), str(path),
            input_names=list(inputs), output_names=list(outputs), dynamic_axes=free, dynamo=False, opset_version=18,
        )  # fmt: skip


def _halves(model: Any, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> Any:
    import torch

    class Halves(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *given: Any) -> Any:
            told = dict(zip(inputs, given, strict=True))
            found: dict[str, Any] = {}
            if "pixel_values" in told:
                seen = self.model.get_image_features(pixel_values=told.pop("pixel_values"))
                found["image_embeds"] = torch.nn.functional.normalize(seen.pooler_output, dim=-1)
            if told:
                read = self.model.get_text_features(**told)
                found["text_embeds"] = torch.nn.functional.normalize(read.pooler_output, dim=-1)
            if len(found) == 2:
                across = found["text_embeds"] @ found["image_embeds"].T * self.model.logit_scale.exp()
                found |= {"logits_per_text": across, "logits_per_image": across.T}
            return tuple(found[name] for name in outputs)

    return Halves().eval()
