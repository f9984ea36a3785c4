"""Memory as llama.cpp lays it out: caches, recurrent states, compute and output buffers, in bytes.

The closed forms count the tensors of its graphs (src/llama-kv-cache.cpp, src/llama-graph.cpp); they hold against its
own accounting for plain, sliding, latent (MLA) and recurrent layers on a processor.
"""

from __future__ import annotations

from weigh.core.architecture import Architecture, Layer
from weigh.core.value import Value

PAD = 256  # cells of a cache come in so many
F32, F16 = 4, 2
# Bytes an element of a cache takes: block bytes over block, of ggml's types.
KV_BYTES = {
    "f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 34 / 32, "q5_1": 24 / 32, "q5_0": 22 / 32, "q4_1": 20 / 32,
    "q4_0": 18 / 32, "iq4_nl": 18 / 32,
}  # fmt: skip


class Setting(Value, frozen=True, kw_only=True):
    """How the engine is started. `context_length` is shared among `parallel` sequences."""

    context_length: int
    parallel: int = 1
    ubatch: int = 512
    kv: str = "f16"
    flash_attention: bool = True


def kv_cache(architecture: Architecture, setting: Setting) -> int:
    """Keys and values of every layer that attends, all sequences; MLA keeps one row and no values."""
    return sum(layer_kv(layer, setting) for layer in architecture.layers)


def layer_kv(layer: Layer, setting: Setting) -> int:
    """The same of one layer."""
    each = KV_BYTES[setting.kv] * setting.parallel
    cells = cells_of(layer, setting)
    if layer.latent is not None:
        return round(layer.latent * cells * each)
    heads, width = layer.num_key_value_heads or 0, layer.head_dim or 0
    return round(heads * (width + (layer.value_head_dim or width)) * cells * each)


def cells_of(layer: Layer, setting: Setting) -> int:
    """Positions that one sequence's cache has room for: a window needs its width and one batch."""
    cells = padded(-(-setting.context_length // setting.parallel))
    if layer.window is None:
        return cells
    return min(cells, padded(layer.window + setting.ubatch))


def padded(cells: int) -> int:
    """The next whole block of cells."""
    return -(-cells // PAD) * PAD


def recurrent_state(architecture: Architecture, setting: Setting) -> int:
    """What recurrent layers keep, in F32, for each sequence."""
    return sum(F32 * (layer.state or 0) for layer in architecture.layers) * setting.parallel


def output(architecture: Architecture, setting: Setting) -> int:
    """Logits for one token of each sequence; they lie in the host's memory."""
    return F32 * (architecture.vocab_size or 0) * setting.parallel


def compute(architecture: Architecture, setting: Setting) -> int | None:
    """The largest step of a graph for one batch; None where the architecture lacks what it takes to say.

    With flash attention the largest step is a feed-forward or MLA's projections, and the masks. Without it the scores.
    """
    hidden = architecture.hidden_size
    if hidden is None or not architecture.layers:
        return None
    widest = max(_widest(architecture, layer, hidden) for layer in architecture.layers)
    if setting.flash_attention:
        return F32 * setting.ubatch * widest + _masks(architecture, setting, F16)
    return _with_scores(architecture, setting, hidden, widest)


def _widest(architecture: Architecture, layer: Layer, hidden: int) -> int:
    """Floats a token needs at once in this layer."""
    if layer.latent is not None:
        return _latent_step(architecture, hidden)
    ffn = layer.ffn or 0
    if not layer.experts_used:
        return 3 * ffn + 5 * hidden
    used = layer.experts_used
    return 3 * used * ffn + 5 * hidden + (used * hidden if hidden > 2 * ffn else 0)


def _latent_step(architecture: Architecture, hidden: int) -> int:
    heads, rank = architecture.num_attention_heads or 0, architecture.kv_lora_rank or 0
    rope, nope = architecture.qk_rope_head_dim or 0, architecture.qk_nope_head_dim or 0
    return heads * (rank + rope) + heads * rank + heads * (nope + rope) + heads * rope + 5 * hidden


def _masks(architecture: Architecture, setting: Setting, each: int) -> int:
    """One mask for all layers that see everything, one for those with a window."""
    full = each * setting.ubatch * padded(-(-setting.context_length // setting.parallel))
    windowed = next((layer for layer in architecture.layers if layer.window is not None), None)
    return full + (each * setting.ubatch * cells_of(windowed, setting) if windowed is not None else 0)


def _with_scores(architecture: Architecture, setting: Setting, hidden: int, widest: int) -> int:
    heads = architecture.num_attention_heads or 0
    cells = padded(-(-setting.context_length // setting.parallel))
    scores = F32 * setting.ubatch * cells * (heads + 1)
    if any(layer.latent is not None for layer in architecture.layers):
        return scores + F32 * setting.ubatch * widest
    attends = [layer for layer in architecture.layers if layer.num_key_value_heads]
    width = max((layer.head_dim or 0 for layer in attends), default=0)
    key_values = max((layer.num_key_value_heads or 0 for layer in attends), default=0)
    rest = F32 * setting.ubatch * (5 * hidden + heads * width + 2 * key_values * width)
    return max(
        scores + rest + _masks(architecture, setting, F32) - F32 * setting.ubatch * cells, F32 * setting.ubatch * widest
    )
