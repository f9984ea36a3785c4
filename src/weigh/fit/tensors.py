"""The matrices a network of this shape is made of: what a file would hold, where there is no file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from weigh.core.architecture import Architecture, Layer
from weigh.knowledge.architectures import architectures

Role = Literal[
    "token_embd", "output", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_up", "ffn_down", "router", "mixer"
]


class Matrix(NamedTuple):
    """`times` matrices alike of `rows` times `width` elements; `layer` is None outside the layers."""

    role: Role
    layer: int | None
    rows: int
    width: int
    times: int = 1
    routed: bool = False

    @property
    def elements(self) -> int:
        """Of all of them."""
        return self.rows * self.width * self.times


def matrices(architecture: Architecture) -> list[Matrix]:
    """Every matrix; empty where the shape is not known. Norms and biases are left out: under a thousandth."""
    hidden, vocab = architecture.hidden_size, architecture.vocab_size
    if hidden is None or not architecture.layers:
        return []
    found = [Matrix("token_embd", None, vocab or 0, hidden)]
    if not is_tied(architecture):
        found.append(Matrix("output", None, vocab or 0, hidden))
    row = architectures().get(architecture.model_type or "")
    ups = 1 if row is not None and row.ungated else 2
    if architecture.looked_up:
        found.append(Matrix("token_embd", None, architecture.looked_up // hidden, hidden))
    for number, layer in enumerate(architecture.layers):
        own = [*_attention(architecture, layer, number, hidden), *_feed_forward(layer, number, hidden, ups)]
        found += own
        if row is not None and row.crossed:  # attention to what was encoded, and the encoder's own layer
            found += [*_attention(architecture, layer, number, hidden), *own]
    return found


def is_tied(architecture: Architecture) -> bool:
    """Whether the head is the table of embeddings: as stated, else as such networks usually are."""
    if architecture.tie_word_embeddings is not None:
        return architecture.tie_word_embeddings
    row = architectures().get(architecture.model_type or "")
    return row is not None and row.tied is True


def _attention(architecture: Architecture, layer: Layer, number: int, hidden: int) -> Iterator[Matrix]:
    heads = architecture.num_attention_heads or 0
    row = architectures().get(architecture.model_type or "")
    if layer.latent is not None:
        yield from _latent(architecture, number, hidden)
    elif layer.num_key_value_heads and layer.head_dim:
        width, value = layer.head_dim, layer.value_head_dim or layer.head_dim
        yield Matrix("attn_q", number, heads * width, hidden, 2 if row is not None and row.gated else 1)
        yield Matrix("attn_k", number, layer.num_key_value_heads * width, hidden)
        yield Matrix("attn_v", number, layer.num_key_value_heads * value, hidden)
        yield Matrix("attn_output", number, hidden, heads * value)
    if layer.mixer:
        yield Matrix("mixer", number, layer.mixer // hidden, hidden)


def _latent(architecture: Architecture, number: int, hidden: int) -> Iterator[Matrix]:
    heads, rank = architecture.num_attention_heads or 0, architecture.kv_lora_rank or 0
    rope, nope = architecture.qk_rope_head_dim or 0, architecture.qk_nope_head_dim or 0
    value = nope  # of every published one
    if architecture.q_lora_rank:
        yield Matrix("attn_q", number, architecture.q_lora_rank, hidden)
        yield Matrix("attn_q", number, heads * (nope + rope), architecture.q_lora_rank)
    else:
        yield Matrix("attn_q", number, heads * (nope + rope), hidden)
    yield Matrix("attn_k", number, rank + rope, hidden)
    yield Matrix("attn_k", number, heads * (nope + value), rank)
    yield Matrix("attn_output", number, hidden, heads * value)


def _feed_forward(layer: Layer, number: int, hidden: int, ups: int) -> Iterator[Matrix]:
    ffn = layer.ffn or 0
    if not ffn:
        return
    experts = layer.experts or 0
    if experts:
        yield Matrix("router", number, experts, hidden)
    shared = layer.ffn_shared or ffn * (layer.experts_shared or 0)
    for count, width, routed in ((experts or 1, ffn, bool(experts)), (1, shared if experts else 0, False)):
        if width:
            yield Matrix("ffn_up", number, width, hidden, count * ups, routed)
            yield Matrix("ffn_down", number, hidden, width, count, routed)
