"""Memory as llama.cpp lays it out: caches, recurrent states, compute and output buffers, in bytes.

The closed forms count the tensors of its graphs (src/llama-kv-cache.cpp, src/llama-graph.cpp); they hold against its
own accounting for plain, sliding, latent (MLA) and recurrent layers on a processor.
"""

from __future__ import annotations

from weigh.core.architecture import Architecture, Layer
from weigh.fit.graph import Setting as Setting
from weigh.fit.graph import widest

PAD = 256  # cells of a cache come in so many
F32, F16 = 4, 2
# Bytes an element of a cache takes: block bytes over block, of ggml's types.
KV_BYTES = {
    "f32": 4.0, "f16": 2.0, "bf16": 2.0, "q8_0": 34 / 32, "q5_1": 24 / 32, "q5_0": 22 / 32, "q4_1": 20 / 32,
    "q4_0": 18 / 32, "iq4_nl": 18 / 32,
}  # fmt: skip


def kv_cache(architecture: Architecture, setting: Setting) -> int:
    """Keys and values of every layer that attends, all sequences; MLA keeps one row and no values."""
    return sum(layer_kv(layer, setting) for layer in architecture.layers)


def layer_kv(layer: Layer, setting: Setting) -> int:
    """The same of one layer."""
    if layer.shares_cache:
        return 0
    keys = KV_BYTES[setting.kv] * setting.parallel
    values = KV_BYTES[setting.kv_values or setting.kv] * setting.parallel
    cells = cells_of(layer, setting)
    if layer.latent is not None:
        return round(layer.latent * cells * keys)
    heads, width = layer.num_key_value_heads or 0, layer.head_dim or 0
    return round(heads * (width * keys + (layer.value_head_dim or width) * values) * cells)


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

    With flash attention the largest step is a feed-forward, a recurrent mixer or MLA's projections, and the masks.
    Without it the scores.
    """
    hidden = architecture.hidden_size
    if hidden is None or not architecture.layers:
        return None
    steps = [widest(architecture, layer, setting) for layer in frozenset(architecture.layers)]
    if None in steps:
        return None
    most = max(step for step in steps if step is not None)
    if setting.flash_attention:
        return F32 * setting.ubatch * most + _masks(architecture, setting, F16)
    return _with_scores(architecture, setting, hidden, most)


def _masks(architecture: Architecture, setting: Setting, each: int) -> int:
    """One mask for all layers that see everything, one for those with a window."""
    kinds = {layer.attention: layer for layer in architecture.layers}
    cells = padded(-(-setting.context_length // setting.parallel)) if {"full", "mla"} & kinds.keys() else 0
    window = cells_of(kinds["sliding"], setting) if "sliding" in kinds else 0
    return each * setting.ubatch * (cells + window)


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
