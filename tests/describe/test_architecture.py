"""The same network from config.json and from GGUF keys, held against what transformers makes of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

from weigh.core.header import LongArray
from weigh.describe.architecture import MOST_LAYERS, from_config, from_gguf
from weigh.knowledge.config_keys import config_keys

LISTS = ("layer_types", "layers_block_type")
OURS = {"sliding_attention": "sliding", "chunked_attention": "sliding", "linear_attention": "linear", "mamba": "linear"}


def without_lists(table: Any) -> Any:
    """A configuration as it was before it listed its layers."""
    match table:
        case dict():
            return {key: without_lists(value) for key, value in table.items() if key not in LISTS}
        case list():
            return tuple(table)
    return table


@pytest.mark.parametrize("listed", [True, False], ids=["layers listed", "layers by habit"])
@pytest.mark.parametrize(
    "model_type",
    [
        "cohere2",
        "exaone4",
        "gemma2",
        "gemma3_text",
        "gemma3n_text",
        "gemma4_text",
        "gpt_oss",
        "jamba",
        "llama4_text",
        "mamba",
        "mamba2",
        "ministral",
        "modernbert",
        "olmo3",
        "qwen3_5_text",
        "qwen3_next",
    ],
)
def test_layers_alternate_as_transformers_alternates_them(model_type: str, listed: bool) -> None:
    config = transformers.AutoConfig.for_model(model_type)
    kinds = getattr(config, "layer_types", None) or getattr(config, "layers_block_type", None)
    table = config.to_dict() | ({"layer_types": kinds} if listed else {})
    if model_type == "qwen3_5_text":
        table["model_type"] = "qwen3_5"
    found = from_config(table if listed else without_lists(table))
    assert found is not None
    assert [layer.attention for layer in found.layers] == [OURS.get(kind, "full") for kind in kinds]


PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "grouped queries": (
        {
            "model_type": "qwen2", "num_hidden_layers": 4, "hidden_size": 64, "num_attention_heads": 8,
            "num_key_value_heads": 2, "intermediate_size": 128, "vocab_size": 100, "max_position_embeddings": 512,
            "sliding_window": 256, "use_sliding_window": False,
        },
        {
            "general.architecture": "qwen2", "block_count": 4, "embedding_length": 64, "attention.head_count": 8,
            "attention.head_count_kv": 2, "feed_forward_length": 128, "vocab_size": 100, "context_length": 512,
        },
    ),
    "window": (
        {
            "model_type": "gemma3", "vision_config": {},
            "text_config": {
                "num_hidden_layers": 12, "hidden_size": 64, "num_attention_heads": 8, "num_key_value_heads": 4,
                "head_dim": 32, "intermediate_size": 128, "vocab_size": 100, "max_position_embeddings": 512,
                "sliding_window": 64, "sliding_window_pattern": 6,
            },
        },
        {
            "general.architecture": "gemma3", "block_count": 12, "embedding_length": 64, "attention.head_count": 8,
            "attention.head_count_kv": 4, "attention.key_length": 32, "feed_forward_length": 128,
            "context_length": 512, "attention.sliding_window": 64, "vocab_size": 100,
        },
    ),
    "latent and routed": (
        {
            "model_type": "deepseek_v3", "num_hidden_layers": 5, "hidden_size": 64, "num_attention_heads": 8,
            "num_key_value_heads": 8, "kv_lora_rank": 16, "qk_rope_head_dim": 4, "intermediate_size": 128,
            "moe_intermediate_size": 24, "n_routed_experts": 16, "num_experts_per_tok": 4, "n_shared_experts": 1,
            "first_k_dense_replace": 3, "vocab_size": 100, "max_position_embeddings": 512,
        },
        {
            "general.architecture": "deepseek2", "block_count": 5, "embedding_length": 64, "attention.head_count": 8,
            "attention.head_count_kv": 1, "attention.kv_lora_rank": 16, "rope.dimension_count": 4,
            "attention.key_length": 20, "feed_forward_length": 128, "expert_feed_forward_length": 24,
            "expert_count": 16, "expert_used_count": 4, "expert_shared_count": 1, "leading_dense_block_count": 3,
            "context_length": 512, "vocab_size": 100,
        },
    ),
    "recurrent": (
        {
            "model_type": "qwen3_next", "num_hidden_layers": 8, "hidden_size": 64, "num_attention_heads": 8,
            "num_key_value_heads": 2, "head_dim": 16, "full_attention_interval": 4, "linear_num_key_heads": 2,
            "linear_num_value_heads": 4, "linear_key_head_dim": 8, "linear_value_head_dim": 8,
            "linear_conv_kernel_dim": 4, "moe_intermediate_size": 24, "num_experts": 16, "num_experts_per_tok": 4,
            "decoder_sparse_step": 1, "mlp_only_layers": (), "vocab_size": 100, "max_position_embeddings": 512,
            "intermediate_size": 128,
        },
        {
            "general.architecture": "qwen3next", "block_count": 8, "embedding_length": 64, "attention.head_count": 8,
            "attention.head_count_kv": 2, "attention.key_length": 16, "ssm.state_size": 8, "ssm.group_count": 2,
            "ssm.inner_size": 32, "ssm.time_step_rank": 4, "ssm.conv_kernel": 4, "expert_feed_forward_length": 24, "expert_count": 16,
            "expert_used_count": 4, "context_length": 512, "vocab_size": 100, "feed_forward_length": 128,
        },
    ),
}  # fmt: skip


def gguf(keys: dict[str, Any]) -> dict[str, Any]:
    name = keys["general.architecture"]
    return {key if key.startswith("general.") else f"{name}.{key}": value for key, value in keys.items()}


@pytest.mark.parametrize("pair", list(PAIRS))
def test_config_and_gguf_give_the_same_network(pair: str) -> None:
    config, keys = PAIRS[pair]
    one, other = from_config(config), from_gguf(gguf(keys))
    assert one is not None and other is not None
    assert one.layers == other.layers
    for field in ("hidden_size", "num_attention_heads", "vocab_size", "context_length"):
        assert getattr(one, field) == getattr(other, field) is not None, field


def test_a_recurrent_state_is_as_large_as_llama_cpp_makes_it() -> None:
    config = {
        "model_type": "qwen3_5",
        "text_config": {
            "num_hidden_layers": 64, "hidden_size": 5120, "linear_num_value_heads": 48, "linear_num_key_heads": 16,
            "linear_key_head_dim": 128, "linear_value_head_dim": 128, "linear_conv_kernel_dim": 4,
        },
    }  # fmt: skip
    found = from_config(config)
    assert found is not None
    assert sum(4 * (layer.state or 0) for layer in found.layers) / 2**20 == 149.625  # its log prints 149.62 MiB


def test_key_value_heads_may_differ_from_layer_to_layer() -> None:
    keys = gguf({"general.architecture": "lfm2", "block_count": 3, "attention.head_count": 8, "embedding_length": 64})
    keys["lfm2.attention.head_count_kv"] = (0, 4, 0)
    keys["lfm2.shortconv.l_cache"] = 3
    found = from_gguf(keys)
    assert found is not None
    assert [layer.attention for layer in found.layers] == ["linear", "full", "linear"]
    assert [layer.num_key_value_heads for layer in found.layers] == [None, 4, None]
    assert [layer.state for layer in found.layers] == [128, None, 128]


def test_multi_query_is_one_head() -> None:
    falcon = {"model_type": "falcon", "num_hidden_layers": 1, "hidden_size": 64, "num_attention_heads": 8}
    heads = [
        from_config(falcon | more).layers[0].num_key_value_heads  # type: ignore[union-attr]
        for more in (
            {},
            {"multi_query": True},
            {"multi_query": True, "new_decoder_architecture": True, "num_kv_heads": 2},
        )
    ]
    assert heads == [8, 1, 2]


def test_a_pattern_string_lists_layers() -> None:
    config = {"model_type": "nemotron_h", "num_hidden_layers": 6, "hybrid_override_pattern": "M-M*M-"}
    found = from_config(config)
    assert found is not None
    assert Counter(layer.attention for layer in found.layers) == {"linear": 3, "none": 2, "full": 1}


def test_what_a_long_array_does_not_show_is_not_guessed() -> None:
    keys = gguf({"general.architecture": "llama", "block_count": 20, "attention.head_count": 8})
    alike = keys | {"llama.feed_forward_length": LongArray(type="uint32", count=20, first=(96,) * 16)}
    mixed = keys | {"llama.feed_forward_length": LongArray(type="uint32", count=20, first=(96, 48) * 8)}
    assert [layer.ffn for layer in from_gguf(alike).layers] == [96] * 20  # type: ignore[union-attr]
    assert [layer.ffn for layer in from_gguf(mixed).layers] == [96, 48] * 8 + [None] * 4  # type: ignore[union-attr]


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just(10**30),
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
CONFIG_KEYS = sorted({key for row in config_keys().values() for key in row.config} | {"architectures", "text_config"})
GGUF_KEYS = sorted(f"qwen2.{row.gguf}" for row in config_keys().values() if row.gguf)


@given(st.dictionaries(st.sampled_from(CONFIG_KEYS), ODD), st.sampled_from(["jamba", "qwen2", "gemma3", "nobody"]))
def test_an_odd_config_is_answered(config: dict[str, Any], model_type: str) -> None:
    found = from_config(config | {"model_type": model_type, "num_hidden_layers": 3})
    assert found is not None and len(found.layers) == 3
    from_config(config)


@given(st.dictionaries(st.sampled_from(GGUF_KEYS), ODD))
def test_odd_keys_are_answered(keys: dict[str, Any]) -> None:
    assert from_gguf(keys) is None
    assert from_gguf(keys | {"general.architecture": "qwen2"}) is not None


@pytest.mark.parametrize("count", [10**30, -1, "32", 32.0, True, None, MOST_LAYERS + 1])
def test_a_number_of_layers_that_is_none_gives_no_layers(count: object) -> None:
    found = from_config({"model_type": "llama", "num_hidden_layers": count})  # type: ignore[dict-item]
    assert found is not None and found.layers == ()


def test_lists_of_millions_are_cut() -> None:
    config = {"model_type": "llama", "num_hidden_layers": MOST_LAYERS, "num_experts": tuple(range(1_000_000))}
    found = from_config(config)
    assert found is not None and len(found.layers) == MOST_LAYERS
