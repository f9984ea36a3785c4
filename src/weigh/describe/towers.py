"""What stands beside a language model and is no layer of it: towers that see or hear, what joins them, tables."""

from __future__ import annotations

from collections.abc import Mapping

from weigh.core.header import Meta

MOST = 1 << 40
_TOWERS = ("vision_config", "visual", "audio_config", "perceiver_config", "qformer_config")
_DEPTH = ("depth", "num_hidden_layers", "encoder_layers", "layers", "n_layer", "resampler_depth", "num_layers")
_WIDTH = ("embed_dim", "d_model", "width", "hidden_size", "n_embd")
_FFN = ("intermediate_size", "encoder_ffn_dim", "d_ff")
_GATED = (
    "qwen2_5",
    "glm4v",
    "glm46v",
    "glm_ocr",
    "pixtral",
    "llama4_none",
    "dots",
    "mistral3",
    "internvit_6b",
    "gemma4",
)


_GLM = ("glm4v", "glm46v", "glm_ocr")


def beside(config: Mapping[str, Meta], inner: Mapping[str, Meta]) -> int | None:
    """Elements of towers and projectors by their configurations; None where there are none."""
    hidden = _count(inner, ("hidden_size", "n_embd", "d_model")) or 0
    found = sum(_tower(part, hidden) for key in _TOWERS if isinstance(part := config.get(key), Mapping))
    return min(found, MOST) or None


def looked_up(inner: Mapping[str, Meta]) -> int | None:
    """Elements of a table that gives every layer a row for each token (Gemma 3n's and 4's)."""
    words, width = _count(inner, ("vocab_size_per_layer_input",)), _count(inner, ("hidden_size_per_layer_input",))
    layers = _count(inner, ("num_hidden_layers",))
    return min(words * width * layers, MOST) if words and width and layers else None


def _tower(part: Mapping[str, Meta], hidden: int) -> int:
    depth, width = _count(part, _DEPTH), _count(part, _WIDTH)
    if not depth or not width:
        return 0
    ffn = _count(part, _FFN) or round(_factor(part.get("mlp_ratio")) * width)
    kind, out = str(part.get("model_type")), _count(part, ("out_hidden_size", "output_dim")) or hidden
    if kind.startswith(_GLM):  # blocks as wide as what comes out, and a gated feed-forward after them
        return depth * (4 * width * width + 3 * width * out) + 3 * out * ffn + 4 * width * out + _patches(part, width)
    ups = 2 if kind.startswith(_GATED) or (part.get("hidden_act") == "silu" and "num_channels" not in part) else 1
    merged = (_count(part, ("spatial_merge_size",)) or 1) ** 2 * width
    joined = merged * merged + merged * out if merged > width else width * out + out * out
    deep = part.get("deepstack_visual_indexes")
    joined *= 1 + (min(len(deep), 16) if isinstance(deep, tuple | list) else 0)
    return depth * (4 * width * width + (1 + ups) * width * ffn) + _patches(part, width) + joined


def _patches(part: Mapping[str, Meta], width: int) -> int:
    """What cuts a picture into patches, and where each lies."""
    patch, image = _count(part, ("patch_size",)) or 0, _count(part, ("image_size",)) or 0
    places = (image // patch) ** 2 if patch else 0
    return 3 * patch * patch * width * (_count(part, ("temporal_patch_size",)) or 1) + places * width


def _count(part: Mapping[str, Meta], keys: tuple[str, ...]) -> int | None:
    return next((value for key in keys if type(value := part.get(key)) is int and 0 < value < 1 << 24), None)


def _factor(value: Meta) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value < 100 else 4.0
