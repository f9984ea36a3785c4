"""Counted parameters equal what the real model has, and packed tensors count as what they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from weigh.app.weigh import weigh
from weigh.core.header import Header
from weigh.core.model import ModelFile
from weigh.core.tensors import TensorInfo
from weigh.describe.merge import merge
from weigh.describe.parameters import count
from weigh.knowledge.packings import packings

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
    "gemma3": lambda: transformers.Gemma3ForCausalLM(transformers.Gemma3TextConfig(**SMALL, head_dim=8)),
    "gpt2": lambda: transformers.GPT2LMHeadModel(
        transformers.GPT2Config(n_layer=2, n_embd=32, n_head=4, vocab_size=100, n_positions=64)
    ),
    "deepseek v3": lambda: transformers.DeepseekV3ForCausalLM(
        transformers.DeepseekV3Config(
            **SMALL | {"num_key_value_heads": 4},
            moe_intermediate_size=16, n_routed_experts=8, num_experts_per_tok=2, n_group=2, topk_group=1,
            n_shared_experts=1, first_k_dense_replace=1, kv_lora_rank=16, q_lora_rank=16,
            qk_rope_head_dim=4, qk_nope_head_dim=8, v_head_dim=8,
        )
    ),
    "granite moe": lambda: transformers.GraniteMoeForCausalLM(
        transformers.GraniteMoeConfig(**SMALL, num_local_experts=4, num_experts_per_tok=2)
    ),
}  # fmt: skip
ROUTED = {"qwen3 moe", "mixtral", "deepseek v3", "granite moe"}


@pytest.mark.parametrize("name", list(MODELS))
def test_a_saved_model_is_counted_as_it_is(tmp_path: Path, name: str) -> None:
    model = MODELS[name]()
    model.save_pretrained(tmp_path)
    found = weigh(str(tmp_path)).model
    assert found is not None and found.num_parameters is not None and found.architecture is not None
    assert found.num_parameters.value == sum(parameter.numel() for parameter in model.parameters())
    assert len(found.architecture.layers) == 2
    assert (found.num_active_parameters is not None) == (name in ROUTED)


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


@pytest.mark.parametrize("serialised", ["safetensors", "shards of pytorch"])
def test_tied_embeddings_count_once_however_they_are_saved(tmp_path: Path, serialised: str) -> None:
    model = MODELS["qwen2 tied"]()
    tables = {**model.state_dict(), "lm_head.weight": model.lm_head.weight.detach().clone()}
    model.config.save_pretrained(tmp_path)
    if serialised == "safetensors":
        save_file(tables, tmp_path / "model.safetensors")
    else:
        names = sorted(tables)
        for number, half in enumerate((names[::2], names[1::2]), start=1):
            torch.save({name: tables[name] for name in half}, tmp_path / f"pytorch_model-0000{number}-of-00002.bin")
    found = weigh(str(tmp_path)).model
    assert found is not None and found.num_parameters is not None
    assert found.num_parameters.value == sum(parameter.numel() for parameter in model.parameters())


def test_a_folder_with_the_same_weights_twice_counts_them_once(tmp_path: Path) -> None:
    model = MODELS["llama"]()
    model.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    found = weigh(str(tmp_path)).model
    assert found is not None and found.num_parameters is not None and found.format is not None
    assert found.format.value == "safetensors"
    assert found.num_parameters.value == sum(parameter.numel() for parameter in model.parameters())


def test_tensors_at_the_same_place_of_two_files_are_two() -> None:
    def shard(number: int) -> ModelFile:
        one = TensorInfo(name=f"layer.{number}", dtype="F32", shape=(4, 4), nbytes=64, offset=512, storage="0")
        header = Header(format="pytorch", tensors=(one, msgspec.structs.replace(one, name=f"tied to {number}")))
        return ModelFile(path=f"pytorch_model-0000{number}-of-00002.bin", format="pytorch", nbytes=900, header=header)

    found = merge((shard(1), shard(2)), None, None)
    assert found.num_parameters is not None and found.num_parameters.value == 32


def test_buffers_are_no_parameters() -> None:
    buffers = [
        tensor("h.0.attn.bias", "U8", 1, 1, 64, 64), tensor("rotary_emb.inv_freq", "F32", 8),
        tensor("bn.num_batches_tracked", "I64"), tensor("table", "I64", 9), tensor("rope_freqs.weight", "F32", 64),
    ]  # fmt: skip
    assert count([*buffers, tensor("h.0.attn.c_attn.bias", "F32", 96)], {}).parameters == 96


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
    "MXFP4": [("weight", "U8", 128, 128), ("weight_scale", "U8", 128, 8)],
    "HQQ": [("W_q", "U8", 256, 64), ("scale", "F16", 512, 1), ("zero", "F16", 512, 1), ("nbits", "I64")],
    "EXL2": [
        ("q_weight", "I32", 32, 128), ("q_invperm", "I16", 256), ("q_scale", "I32", 8, 16), ("q_scale_max", "F16", 8),
        ("q_groups", "I16", 16), ("q_perm", "I16", 256),
    ],
    "EXL3": [("trellis", "I16", 16, 8, 64), ("suh", "F16", 256), ("svh", "F16", 128)],
    "AQLM": [("codes", "I16", 128, 32, 2), ("codebooks", "F16", 2, 65536, 1, 8), ("scales", "F16", 128, 1, 1, 1)],
    "Quanto": [("weight._data._data", "U8", 128, 128), ("weight._scale", "BF16", 256, 1), ("weight._shift", "I8", 256, 1)],
    "torchao": [("_weight_qdata", "U8", 128, 128), ("_weight_scale", "BF16", 2, 128), ("_weight_zero_point", "BF16", 2, 128)],
}  # fmt: skip


@pytest.mark.parametrize("method", list(LAYOUTS))
def test_packed_weights_count_as_what_they_stand_for(method: str) -> None:
    counted = count([tensor(f"layer.{name}", *rest) for name, *rest in LAYOUTS[method]], {})
    assert counted.parameters == 256 * 128
    assert counted.quant is not None and counted.quant.method == method
    assert counted.quant.bits == (8 if method == "FP8" else 4)


OTHER_WIDTHS = {
    "GPTQ of 8 bits": ([("qweight", "I32", 64, 128), ("qzeros", "I32", 2, 32), ("scales", "F16", 2, 128)], {}, 8),
    "GPTQ of 3 bits": ([("qweight", "I32", 24, 128), ("qzeros", "I32", 2, 12), ("scales", "F16", 2, 128)], {}, 3),
    "MLX of 6 bits": ([("weight", "U32", 128, 48), ("scales", "F16", 128, 4), ("biases", "F16", 128, 4)], {}, 6),
    "MLX of 8 bits in groups of 32": (
        [("weight", "U32", 128, 64), ("scales", "F16", 128, 8), ("biases", "F16", 128, 8)],
        {"quantization": {"group_size": 32, "bits": 4}},
        8,
    ),
    "compressed-tensors of 8 bits": (
        [("weight_packed", "I32", 128, 64), ("weight_scale", "F16", 128, 1), ("weight_shape", "I64", 2)],
        {"quantization_config": {"config_groups": {"group_0": {"weights": {"num_bits": 8}}}}},
        8,
    ),
    "Int8 of bitsandbytes": ([("weight", "I8", 128, 256), ("SCB", "F32", 128), ("weight_format", "U8")], {}, 8),
    "W8A8": ([("weight", "I8", 128, 256), ("weight_scale", "F32", 128, 1)], {}, 8),
    "Quanto of 8 bits": (
        [("weight._data", "I8", 128, 256), ("weight._scale", "BF16", 128, 1), ("input_scale", "BF16"), ("output_scale", "BF16")],
        {},
        8,
    ),
    "Quanto of 2 bits": (
        [("weight._data._data", "U8", 64, 128), ("weight._scale", "BF16", 256, 1), ("weight._shift", "I8", 256, 1)],
        {"quantization_config": {"quant_method": "quanto", "weights": "int2"}},
        2,
    ),
    "torchao of 8 bits": ([("_weight_qdata", "I8", 128, 256), ("_weight_scale", "BF16", 128)], {}, 8),
    "torchao of FP8": ([("_weight_qdata", "F8_E4M3", 128, 256), ("_weight_scale", "F32", 128, 1)], {}, 8),
    "torchao of 4 bits in bytes": (
        [("_weight_qdata", "I8", 128, 128), ("_weight_scale", "BF16", 2, 128)],
        {"quantization_config": {"quant_method": "torchao", "quant_type": {"default": {"_type": "Int4WeightOnlyConfig"}}}},
        4,
    ),
    "FBGEMM": ([("weight", "F8_E4M3", 128, 256), ("weight_scale", "F32", 128, 1), ("input_scale_ub", "F32", 1)], {}, 8),
    "SpQR": (
        [("dense_weights", "I64", 2048), ("row_offsets", "I32", 129), ("col_vals", "I32", 700), ("in_perm", "I16", 256)],
        {"quantization_config": {"quant_method": "spqr", "bits": 3}},
        3,
    ),
    "VPTQ": (
        [("indices", "I32", 1, 128, 16), ("centroids.weight", "F16", 1, 8192), ("res_centroids.weight", "F16", 1, 2048),
         ("weight_scale", "F16", 256), ("weight_bias", "F16", 256), ("perm", "I16", 256)],
        {"quantization_config": {"bits": 3, "config_for_layers": {"layer": {"in_features": 256, "out_features": 128}}}},
        3,
    ),
    "QuIP#": ([("Qidxs", "I16", 128, 32), ("SU", "F16", 256), ("SV", "F16", 128), ("Wscale", "F32")], {}, 2),
    "EETQ": ([("weight", "I8", 256, 128), ("weight_scales", "F16", 128)], {}, 8),
    "FP4 with exponents": ([("weight", "I8", 128, 128), ("scale", "F8_E8M0", 128, 8)], {}, 4),
    "BitNet": (
        [("weight", "U8", 32, 256), ("weight_scale", "BF16", 1)],
        {"quantization_config": {"quant_method": "bitnet"}},
        1.58,
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", list(OTHER_WIDTHS))
def test_other_widths_are_seen_in_the_shapes(layout: str) -> None:
    rows, config, bits = OTHER_WIDTHS[layout]
    counted = count([tensor(f"layer.{name}", *rest) for name, *rest in rows], config)
    assert counted.parameters == 256 * 128
    assert counted.quant is not None and counted.quant.bits == bits


def test_a_claim_of_packing_without_packed_tensors_is_not_believed() -> None:
    config = {"quantization_config": {"quant_method": "gptq", "bits": 4}}
    counted = count([tensor("layer.weight", "F16", 128, 256)], config)
    assert counted.parameters == 128 * 256
    assert counted.quant is not None and counted.quant.method == "none"


def test_mxfp4_blocks_count_as_two_weights_a_byte() -> None:
    blocks = [tensor("experts.gate_blocks", "U8", 4, 8, 16), tensor("experts.gate_scales", "U8", 4, 8)]
    counted = count(blocks, {})
    assert counted.parameters == 4 * 8 * 16 * 2
    assert counted.expert_parameters == counted.parameters


@pytest.mark.parametrize("shape", [(10**400,), (-3, 4), (1 << 62, 1 << 62)])
@pytest.mark.parametrize("name", ["layer.weight", "layer.qweight", "layer.codes", "layer.trellis", "lm_head.weight"])
def test_a_shape_no_tensor_can_have_counts_for_nothing(name: str, shape: tuple[int, ...]) -> None:
    assert count([tensor(name, "F16", *shape), tensor("real.weight", "F16", 3)], {}).parameters == 3


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted({beside for row in packings().values() for beside in (*row.beside, *row.holders)})),
            st.sampled_from(["U8", "I8", "I32", "U32", "F16", "F8_E4M3", "I64", "nobody"]),
            st.lists(st.integers(0, 1 << 20), max_size=4),
        )
    ),
    st.sampled_from([{}, {"quantization_config": {"quant_method": "bitnet", "bits": 3}}, {"quantization_config": 3}]),
)
def test_any_neighbours_are_counted(rows: list[tuple[str, str, list[int]]], config: dict[str, Any]) -> None:
    assert count([tensor(f"layer.{name}", dtype, *shape) for name, dtype, shape in rows], config).parameters >= 0


def test_layers_left_as_they_are_beside_packed_ones_are_named() -> None:
    rows = [tensor(f"model.layers.0.mlp.up_proj.{name}", *rest) for name, *rest in LAYOUTS["AWQ"]]
    rows += [tensor("lm_head.weight", "F16", 100, 256), tensor("model.layers.0.mlp.gate.weight", "F16", 8, 256)]
    assert count([*rows, tensor("model.norm.weight", "F16", 256)], {}).left == ("lm_head", "gate")


def test_where_nothing_is_packed_nothing_is_left() -> None:
    assert count([tensor("lm_head.weight", "F16", 100, 256)], {}).left == ()


def test_fused_experts_of_nvfp4_count_two_weights_a_byte() -> None:
    name = "layers.0.feed_forward.experts.gate_up_proj"
    rows = [tensor(name, "U8", 4, 64, 128), tensor(f"{name}_weight_scale", "F8_E4M3", 4, 8, 128)]
    rows += [tensor(f"{name}_weight_scale_2", "F32"), tensor(f"{name}_input_scale", "F32")]
    counted = count(rows, {})
    assert counted.parameters == counted.expert_parameters == 4 * 64 * 128 * 2
    assert counted.quant is not None and counted.quant.method == "NVFP4"


def test_scales_of_cached_keys_and_values_are_no_parameters() -> None:
    rows = [tensor("layers.0.self_attn.attn.k_scale", "F32", 1), tensor("layers.0.self_attn.v_scale", "F32")]
    assert count([*rows, tensor("norm.weight", "BF16", 8)], {}).parameters == 8
