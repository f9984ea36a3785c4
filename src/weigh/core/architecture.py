"""A network's shape, layer by layer: made from config.json and from GGUF keys alike."""

from __future__ import annotations

from typing import Literal

from weigh.core.value import Value

Attention = Literal["full", "sliding", "mla", "linear", "none"]


class Layer(Value, frozen=True, kw_only=True):
    """One block. `window`: tokens a sliding layer sees. `latent`: width of an MLA cache row, its rope part included.
    `state`: elements of a recurrent state. `ffn`: width of one feed-forward (of one expert in a MoE layer).
    `value_head_dim` is given where it is not `head_dim`. `mixer`: elements of a recurrent mixer's matrices.
    `ffn_shared`: width of what every token passes beside its experts, where it is stated. `shares_cache`: it reads the
    keys and values of a layer before it.
    """

    attention: Attention
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    value_head_dim: int | None = None
    window: int | None = None
    latent: int | None = None
    state: int | None = None
    ffn: int | None = None
    experts: int | None = None
    experts_used: int | None = None
    experts_shared: int | None = None
    ffn_shared: int | None = None
    mixer: int | None = None
    shares_cache: bool | None = None


class Architecture(Value, frozen=True, kw_only=True):
    """`model_type` as config.json or `general.architecture` spells it; `class_name` is config.json's alone.

    `beside`: elements of towers that see or hear and of what joins them; `looked_up`: of tables besides the embeddings
    of which a token reads a row.
    """

    model_type: str | None = None
    class_name: str | None = None
    layers: tuple[Layer, ...] = ()
    hidden_size: int | None = None
    num_attention_heads: int | None = None
    q_lora_rank: int | None = None
    kv_lora_rank: int | None = None
    qk_rope_head_dim: int | None = None
    qk_nope_head_dim: int | None = None
    vocab_size: int | None = None
    context_length: int | None = None
    tie_word_embeddings: bool | None = None
    modalities: tuple[str, ...] = ()
    beside: int | None = None
    looked_up: int | None = None
