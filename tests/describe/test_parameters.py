"""Counted parameters equal what the real model has, and packed tensors count as what they stand for."""

from __future__ import annotations

from pathlib import Path

import pytest
import transformers

from weigh.app.weigh import weigh
from weigh.core.tensors import TensorInfo
from weigh.describe.parameters import count

SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 100,
}
MODELS = {
    "llama": lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**SMALL)),
    "qwen2 tied": lambda: transformers.Qwen2ForCausalLM(transformers.Qwen2Config(**SMALL, tie_word_embeddings=True)),
    "qwen3 moe": lambda: transformers.Qwen3MoeForCausalLM(
        transformers.Qwen3MoeConfig(**SMALL, num_experts=8, num_experts_per_tok=2, moe_intermediate_size=16, head_dim=8)
    ),
    "mixtral": lambda: transformers.MixtralForCausalLM(transformers.MixtralConfig(**SMALL, num_local_experts=4)),
}


@pytest.mark.parametrize("name", list(MODELS))
def test_a_saved_model_is_counted_as_it_is(tmp_path: Path, name: str) -> None:
    model = MODELS[name]()
    model.save_pretrained(tmp_path)
    found = weigh(str(tmp_path)).model
    assert found is not None and found.num_parameters is not None and found.architecture is not None
    assert found.num_parameters.value == sum(parameter.numel() for parameter in model.parameters())
    assert len(found.architecture.layers) == 2
    assert (found.num_active_parameters is not None) == (name in ("qwen3 moe", "mixtral"))


def test_half_of_the_experts_rest(tmp_path: Path) -> None:
    model = MODELS["mixtral"]()
    model.save_pretrained(tmp_path)
    found = weigh(str(tmp_path)).model
    experts = sum(parameter.numel() for name, parameter in model.named_parameters() if ".experts." in name)
    whole = sum(parameter.numel() for parameter in model.parameters())
    assert found is not None and found.num_active_parameters is not None
    assert found.num_active_parameters.value == whole - experts // 2


def tensor(name: str, dtype: str, *shape: int) -> TensorInfo:
    return TensorInfo(name=name, dtype=dtype, shape=shape, nbytes=1)


# A linear layer of 256 inputs and 128 outputs in each published layout.
LAYOUTS = {
    "GPTQ": [("qweight", "I32", 32, 128), ("qzeros", "I32", 2, 16), ("scales", "F16", 2, 128), ("g_idx", "I32", 256)],
    "AWQ": [("qweight", "I32", 256, 16), ("qzeros", "I32", 2, 16), ("scales", "F16", 2, 128)],
    "BNB": [
        ("weight", "U8", 16384, 1),
        ("weight.absmax", "U8", 512),
        ("weight.quant_state.bitsandbytes__nf4", "U8", 90),
    ],
    "FP8": [("weight", "F8_E4M3", 128, 256), ("weight_scale_inv", "F32", 1, 2)],
    "NVFP4": [("weight", "U8", 128, 128), ("weight_scale", "F8_E4M3", 128, 16), ("weight_scale_2", "F32")],
    "MLX": [("weight", "U32", 128, 32), ("scales", "F16", 128, 4), ("biases", "F16", 128, 4)],
    "compressed-tensors": [
        ("weight_packed", "I32", 128, 32),
        ("weight_scale", "F16", 128, 2),
        ("weight_shape", "I64", 2),
    ],
}


@pytest.mark.parametrize("method", list(LAYOUTS))
def test_packed_weights_count_as_what_they_stand_for(method: str) -> None:
    counted = count([tensor(f"layer.{name}", *rest) for name, *rest in LAYOUTS[method]], {})
    assert counted.parameters == 256 * 128
    assert counted.quant is not None and counted.quant.method == method
    assert counted.quant.bits == (8 if method == "FP8" else 4)


def test_mxfp4_blocks_count_as_two_weights_a_byte() -> None:
    blocks = [tensor("experts.gate_blocks", "U8", 4, 8, 16), tensor("experts.gate_scales", "U8", 4, 8)]
    counted = count(blocks, {})
    assert counted.parameters == 4 * 8 * 16 * 2
    assert counted.expert_parameters == counted.parameters
