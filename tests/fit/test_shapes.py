"""Shapes read from a configuration alone hold as many elements as the network that transformers builds from it."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from weigh.core.architecture import Architecture
from weigh.describe.architecture import from_config
from weigh.fit import llamacpp, vllm
from weigh.fit.tensors import matrices

# model_type, and its class; the configuration is the library's own default, cut to four layers where they are alike.
BUILT = """\
apertus           ApertusForCausalLM
arcee             ArceeForCausalLM
bamba             BambaForCausalLM
cohere2           Cohere2ForCausalLM
deepseek_v3       DeepseekV3ForCausalLM
ernie4_5_moe      Ernie4_5_MoeForCausalLM
exaone4           Exaone4ForCausalLM
falcon_h1         FalconH1ForCausalLM
gemma2            Gemma2ForCausalLM
gemma3n_text      Gemma3nForCausalLM
glm4_moe          Glm4MoeForCausalLM
gpt2              GPT2LMHeadModel
gpt_oss           GptOssForCausalLM
granitemoehybrid  GraniteMoeHybridForCausalLM
jamba             JambaForCausalLM
kimi_linear       KimiLinearForCausalLM
lfm2              Lfm2ForCausalLM
llama4_text       Llama4ForCausalLM
llava             LlavaForConditionalGeneration
mamba             MambaForCausalLM
mamba2            Mamba2ForCausalLM
minimax_m2        MiniMaxM2ForCausalLM
olmo3             Olmo3ForCausalLM
olmo_hybrid       OlmoHybridForCausalLM
qwen2_moe         Qwen2MoeForCausalLM
qwen3_next        Qwen3NextForCausalLM
qwen3_vl          Qwen3VLForConditionalGeneration
rwkv              RwkvForCausalLM
smollm3           SmolLM3ForCausalLM
"""


@pytest.mark.parametrize("line", BUILT.splitlines())
def test_a_configuration_alone_says_how_many_elements_there_are(line: str) -> None:
    model_type, class_name = line.split()
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = transformers.AutoConfig.for_model(model_type)
        with torch.device("meta"):
            built = getattr(transformers, class_name)(config)
    found = from_config(config.to_dict())
    assert found is not None
    ours = sum(one.elements for one in matrices(found)) + (found.beside or 0)
    assert ours == pytest.approx(sum(one.numel() for one in built.parameters()), rel=0.03)


def shape(**config: Any) -> Architecture:
    found = from_config({"hidden_size": 2048, "num_attention_heads": 16, "vocab_size": 32000, **config})
    assert found is not None
    return found


def test_layers_that_share_their_cache_keep_none() -> None:
    kinds = ("sliding_attention",) * 4 + ("full_attention",)
    keys = {"model_type": "gemma3n_text", "num_hidden_layers": 35, "num_key_value_heads": 2, "head_dim": 256}
    own = shape(**keys, sliding_window=512, layer_types=kinds * 7, num_kv_shared_layers=15)
    setting = llamacpp.Setting(context_length=8192)
    full, windowed = 4 * 8192, 16 * 1024
    assert llamacpp.kv_cache(own, setting) == 2 * 2 * 256 * 2 * (full + windowed)
    assert vllm.bytes_per_token(own, vllm.Setting(context_length=8192)) == 20 * 2 * 2 * 256 * 2


def test_layers_that_see_everything_may_have_heads_of_their_own() -> None:
    kinds = ("sliding_attention",) * 5 + ("full_attention",)
    own = shape(
        model_type="gemma4_text", num_hidden_layers=6, num_key_value_heads=8, head_dim=256, global_head_dim=512,
        num_global_key_value_heads=2, sliding_window=1024, layer_types=kinds,
    )  # fmt: skip
    assert [(layer.num_key_value_heads, layer.head_dim) for layer in own.layers[4:]] == [(8, 256), (2, 512)]


def test_blocks_that_were_searched_for_are_read_one_by_one() -> None:
    blocks = (
        {"attention": {"n_heads_in_group": 8, "no_op": False}, "ffn": {"ffn_mult": 5.25}},
        {"attention": {"n_heads_in_group": None, "no_op": True}, "ffn": {"ffn_mult": 1.0}},
    )
    own = shape(model_type="nemotron-nas", block_configs=blocks)
    assert [(layer.num_key_value_heads, layer.ffn) for layer in own.layers] == [(2, 7168), (None, 1536)]


@pytest.mark.parametrize(
    "blocks", [(1, None), ({},), ({"attention": {"n_heads_in_group": 0}, "ffn": {"ffn_mult": -1}},)]
)
def test_blocks_that_cannot_be_are_read_as_nothing(blocks: tuple[object, ...]) -> None:
    assert from_config(
        {"model_type": "nemotron-nas", "hidden_size": 64, "num_attention_heads": 4, "block_configs": blocks}
    )


def test_a_list_of_kinds_says_what_each_layer_does() -> None:
    own = shape(
        model_type="nemotron_h", hybrid_override_pattern="M-*-", intermediate_size=8192, num_key_value_heads=8,
        head_dim=128, mamba_num_heads=64, mamba_head_dim=64, ssm_state_size=128, conv_kernel=4, n_groups=8,
    )  # fmt: skip
    kinds = [(layer.attention, layer.ffn, bool(layer.mixer)) for layer in own.layers]
    assert kinds == [("linear", None, True), ("none", 8192, False), ("full", None, False), ("none", 8192, False)]
