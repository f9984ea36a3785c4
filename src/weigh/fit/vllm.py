"""Memory as vLLM lays it out: blocks of keys and values for every layer at full length, the rest from a trial run."""

from __future__ import annotations

from weigh.core.architecture import Architecture, Layer
from weigh.core.value import Value

BLOCK = 16  # tokens of one block
UTILISATION = 0.9
NON_TORCH = int(0.35 * (1 << 30))  # what the driver and NCCL hold besides, a GPU; logged 0.25 to 0.35 GiB
KV_BYTES = {"auto": 2, "f16": 2, "bf16": 2, "fp8": 1, "q8_0": 1}


class Setting(Value, frozen=True, kw_only=True):
    """How the engine is started. `tensor_parallel` GPUs share each layer."""

    context_length: int
    parallel: int = 1
    batched_tokens: int = 2048
    tensor_parallel: int = 1
    kv: str = "auto"


def split(architecture: Architecture | None, gpus: int) -> tuple[int, int]:
    """How many GPUs share each layer, and how many groups of them follow each other: heads must go round evenly."""
    heads = architecture.num_attention_heads if architecture is not None else None
    if not heads:
        return gpus, 1
    most = max(number for number in range(1, min(gpus, heads) + 1) if gpus % number == 0 and heads % number == 0)
    return most, gpus // most


def bytes_per_token(architecture: Architecture, setting: Setting) -> int:
    """One token's keys and values on one GPU.

    Groups of layers share one size of page, so that a sliding layer costs as much as one that sees everything.
    """
    return sum(_layer(layer, setting) for layer in architecture.layers)


def _layer(layer: Layer, setting: Setting) -> int:
    each = KV_BYTES.get(setting.kv, 2)
    if layer.shares_cache:
        return 0
    if layer.latent is not None:  # one row, whole on every GPU
        return layer.latent * each
    heads = layer.num_key_value_heads or 0
    mine = max(1, -(-heads // setting.tensor_parallel)) if heads else 0
    width = layer.head_dim or 0
    return mine * (width + (layer.value_head_dim or width)) * each


def kv_cache(architecture: Architecture, setting: Setting) -> int:
    """What `parallel` sequences of the whole context need on one GPU, in whole blocks."""
    blocks = -(-setting.context_length // BLOCK)
    return bytes_per_token(architecture, setting) * blocks * BLOCK * setting.parallel


def tokens_in(budget: int, architecture: Architecture, setting: Setting) -> int | None:
    """Tokens that so many bytes of cache hold, whole blocks; None where a token keeps nothing."""
    each = bytes_per_token(architecture, setting)
    return budget // (each * BLOCK) * BLOCK if each else None


def recurrent_state(architecture: Architecture, setting: Setting) -> int:
    """States of recurrent layers for each sequence, two bytes an element, split among the GPUs."""
    states = sum(2 * (layer.state or 0) for layer in architecture.layers)
    return states * setting.parallel // setting.tensor_parallel


def activations(architecture: Architecture, setting: Setting) -> int:
    """What the trial run with a full batch peaks at: an estimate, from published logs of dense models."""
    hidden = architecture.hidden_size or 0
    widest = max((_width(layer) for layer in architecture.layers), default=0)
    return 2 * setting.batched_tokens * (3 * widest // setting.tensor_parallel + 3 * hidden)


def _width(layer: Layer) -> int:
    return (layer.ffn or 0) * (layer.experts_used or 1)
