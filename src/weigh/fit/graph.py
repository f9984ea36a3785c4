"""The widest step of llama.cpp's graphs, layer by layer: floats a token needs at once."""

from __future__ import annotations

from weigh.core.architecture import Architecture, Layer
from weigh.core.value import Value
from weigh.knowledge.architectures import ArchitectureRow, architectures

_CONV = 3  # inputs that a convolution over four keeps
_STATE_SIZES = (128, 256, 64, 16)  # elements a channel, the usual first
_MOST_GROUPS = 32
_HEAD = 64  # channels of a Mamba-2 head


class Setting(Value, frozen=True, kw_only=True):
    """How the engine is started. `context_length` is shared among `parallel` sequences; `kv_values`: the
    type of the values where it is not that of the keys.
    """

    context_length: int
    parallel: int = 1
    ubatch: int = 512
    kv: str = "f16"
    kv_values: str | None = None
    flash_attention: bool = True


def widest(architecture: Architecture, layer: Layer, setting: Setting) -> int | None:
    """With flash attention; None for a recurrent layer whose widths its state does not tell."""
    hidden = architecture.hidden_size or 0
    row = architectures().get(architecture.model_type or "")
    steps = [_feed_forward(layer, hidden, row)]
    if layer.latent is not None:
        steps.append(_latent(architecture, hidden))
    if layer.state:
        mixed = _mixer(architecture, layer, setting, row)
        if mixed is None:
            return None
        steps.append(mixed)
    elif row is not None and row.repeats:
        heads, width = architecture.num_attention_heads or 0, layer.head_dim or 0
        steps.append(5 * hidden + 4 * heads * width + (layer.num_key_value_heads or 0) * width)
    return max(steps)


def _feed_forward(layer: Layer, hidden: int, row: ArchitectureRow | None) -> int:
    ffn = layer.ffn or 0
    if not layer.experts_used:
        return (1 if row is not None and row.ungated else 3) * ffn + 5 * hidden
    used = layer.experts_used
    return 3 * used * ffn + 5 * hidden + (used * hidden if hidden > 2 * ffn else 0)


def _latent(architecture: Architecture, hidden: int) -> int:
    """MLA's projections; the rope part is put where something of the hidden width was, if it goes there."""
    heads, rank = architecture.num_attention_heads or 0, architecture.kv_lora_rank or 0
    rope, nope = architecture.qk_rope_head_dim or 0, architecture.qk_nope_head_dim or 0
    step = heads * (rank + rope) + heads * rank + heads * (nope + rope) + 5 * hidden
    return step + (heads * rope if heads * rope > hidden else 0)


def _mixer(architecture: Architecture, layer: Layer, setting: Setting, row: ArchitectureRow | None) -> int | None:
    """A recurrent mixer: what goes in and through its convolution, and the states of all sequences."""
    hidden, state = architecture.hidden_size or 0, layer.state or 0
    widths = _widths(state)
    if widths is None:
        return None
    inner, keys = widths
    convolved, kept = inner + 2 * keys, -(-state * setting.parallel // setting.ubatch)
    if row is not None and row.gated:
        step = 5 * hidden + 2 * convolved
        return kept + max(step, 4 * (hidden + inner + keys) if row.repeats and inner > keys else 0)
    beside = (architecture.num_attention_heads or 0) * (layer.head_dim or 0)  # what attention gave, meanwhile
    taken = 2 * inner + 2 * keys + inner // _HEAD
    return 5 * hidden + taken + 2 * convolved + inner + kept + (beside if beside >= hidden else 0)


def _widths(state: int) -> tuple[int, int] | None:
    """A mixer's inner width and that of its keys, from how many elements it keeps; both come in steps of 128."""
    for size in _STATE_SIZES:
        blocks, rest = divmod(state, (size + _CONV) * 128)
        if blocks and rest % (2 * _CONV * size) == 0 and rest // (2 * _CONV * size) <= _MOST_GROUPS:
            return blocks * 128, rest // (2 * _CONV)
    return None
