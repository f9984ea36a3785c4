"""Repositories as they are published: parameters counted, quantisation and context right, from headers alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import transformers

from tests.describe import published
from tests.describe.published import Published, packed, plain
from weigh.app.weigh import weigh

LLAMA = {"vocab_size": 128256, "max_position_embeddings": 131072, "num_attention_heads": 32, "num_key_value_heads": 8}
QWEN2 = {"vocab_size": 152064, "max_position_embeddings": 32768, "num_key_value_heads": 4}
QWEN3 = {"vocab_size": 151936, "max_position_embeddings": 40960, "head_dim": 128, "num_key_value_heads": 8}
TIED = {"tie_word_embeddings": True}


def sizes(hidden: int, ffn: int, layers: int, **more: Any) -> dict[str, Any]:
    return {"hidden_size": hidden, "intermediate_size": ffn, "num_hidden_layers": layers, **more}


# The configurations as their makers publish them: the class, and what differs from its defaults.
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "Llama-2-7b": ("Llama", sizes(4096, 11008, 32, vocab_size=32000, max_position_embeddings=4096)),
    "Llama-2-13b": (
        "Llama",
        sizes(5120, 13824, 40, vocab_size=32000, num_attention_heads=40, max_position_embeddings=4096),
    ),
    "Llama-3.1-8B": ("Llama", sizes(4096, 14336, 32, **LLAMA)),
    "Llama-3.1-70B": ("Llama", sizes(8192, 28672, 80, **LLAMA | {"num_attention_heads": 64})),
    "Llama-3.2-1B": ("Llama", sizes(2048, 8192, 16, **LLAMA, head_dim=64, **TIED)),
    "Llama-3.2-3B": ("Llama", sizes(3072, 8192, 28, **LLAMA | {"num_attention_heads": 24}, head_dim=128, **TIED)),
    "TinyLlama-1.1B": (
        "Llama",
        sizes(2048, 5632, 22, vocab_size=32000, num_key_value_heads=4, max_position_embeddings=2048),
    ),
    "Yi-6B": ("Llama", sizes(4096, 11008, 32, vocab_size=64000, num_key_value_heads=4, max_position_embeddings=4096)),
    "SmolLM2-135M": (
        "Llama",
        sizes(576, 1536, 30, vocab_size=49152, num_attention_heads=9, num_key_value_heads=3, max_position_embeddings=8192, **TIED),
    ),
    "Mistral-7B-v0.1": ("Mistral", sizes(4096, 14336, 32, vocab_size=32000, num_key_value_heads=8, max_position_embeddings=32768)),
    "Mixtral-8x7B-v0.1": ("Mixtral", sizes(4096, 14336, 32, vocab_size=32000, num_key_value_heads=8, max_position_embeddings=32768)),
    "Qwen2.5-0.5B": (
        "Qwen2",
        sizes(896, 4864, 24, num_attention_heads=14, num_key_value_heads=2, vocab_size=151936, max_position_embeddings=32768, **TIED),
    ),
    "Qwen2.5-7B": ("Qwen2", sizes(3584, 18944, 28, num_attention_heads=28, **QWEN2)),
    "Qwen2.5-72B": ("Qwen2", sizes(8192, 29568, 80, num_attention_heads=64, **QWEN2 | {"num_key_value_heads": 8})),
    "Qwen3-0.6B": ("Qwen3", sizes(1024, 3072, 28, num_attention_heads=16, **QWEN3, **TIED)),
    "Qwen3-8B": ("Qwen3", sizes(4096, 12288, 36, num_attention_heads=32, **QWEN3)),
    "Qwen3-32B": ("Qwen3", sizes(5120, 25600, 64, num_attention_heads=64, **QWEN3)),
    "Qwen3-30B-A3B": (
        "Qwen3Moe",
        sizes(2048, 6144, 48, moe_intermediate_size=768, num_experts=128, num_experts_per_tok=8, num_attention_heads=32, **QWEN3 | {"num_key_value_heads": 4}),
    ),
    "Qwen3-235B-A22B": (
        "Qwen3Moe",
        sizes(4096, 12288, 94, moe_intermediate_size=1536, num_experts=128, num_experts_per_tok=8, num_attention_heads=64, **QWEN3 | {"num_key_value_heads": 4}),
    ),
    "gemma-2-2b": ("Gemma2", sizes(2304, 9216, 26, num_attention_heads=8, num_key_value_heads=4, vocab_size=256000, max_position_embeddings=8192)),
    "gemma-2-9b": ("Gemma2", sizes(3584, 14336, 42, num_attention_heads=16, num_key_value_heads=8, vocab_size=256000, max_position_embeddings=8192)),
    "Phi-3-mini-4k": ("Phi3", sizes(3072, 8192, 32, vocab_size=32064, max_position_embeddings=4096)),
    "phi-4": (
        "Phi3",
        sizes(5120, 17920, 40, num_attention_heads=40, num_key_value_heads=10, vocab_size=100352, max_position_embeddings=16384, pad_token_id=0),
    ),
    "gpt2": ("GPT2LMHead", {}),
    "pythia-1.4b": ("GPTNeoX", sizes(2048, 8192, 24, num_attention_heads=16, vocab_size=50304, max_position_embeddings=2048)),
    "DeepSeek-V3": ("DeepseekV3", {"max_position_embeddings": 163840}),
    "gpt-oss-20b": ("GptOss", {"num_hidden_layers": 24, "num_local_experts": 32, "max_position_embeddings": 131072}),
    "gpt-oss-120b": ("GptOss", {"num_hidden_layers": 36, "num_local_experts": 128, "max_position_embeddings": 131072}),
}  # fmt: skip
MLX_KEEPS = ("norm", ".gate.weight")  # it packs the tables of embeddings too
NO_HEAD = ("lm_head", "embed", "norm")
LAYOUTS: dict[str, tuple[Published, dict[str, Any]]] = {
    "BF16": (plain(), {}),
    "F16": (plain("F16"), {}),
    "F32": (plain("F32"), {}),
    "GPTQ-4": (packed(published.gptq(4, 128), rest="F16"), {"quant_method": "gptq", "bits": 4, "group_size": 128}),
    "GPTQ-8": (packed(published.gptq(8, 128), rest="F16"), {"quant_method": "gptq", "bits": 8, "group_size": 128}),
    "AWQ": (packed(published.awq, rest="F16"), {"quant_method": "awq", "bits": 4, "group_size": 128}),
    "NF4": (packed(published.nf4), {"quant_method": "bitsandbytes", "load_in_4bit": True}),
    "LLM.int8": (packed(published.llm_int8, rest="F16"), {"quant_method": "bitsandbytes", "load_in_8bit": True}),
    "FP8-block": (packed(published.fp8_block), {"quant_method": "fp8", "weight_block_size": [128, 128]}),
    "FP8-channel": (packed(published.fp8_channel), {"quant_method": "compressed-tensors", "format": "float-quantized"}),
    "FP8-tensor": (packed(published.fp8_tensor), {"quant_method": "modelopt", "quant_algo": "FP8"}),
    "FBGEMM": (packed(published.fbgemm), {"quant_method": "fbgemm_fp8"}),
    "NVFP4": (packed(published.nvfp4), {"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16}),
    "NVFP4-pack": (packed(published.nvfp4_packed), {"quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized"}),
    "W4A16": (
        packed(published.w4a16),
        {"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": {"group_0": {"weights": {"num_bits": 4, "group_size": 128}}}},
    ),
    "W8A8": (
        packed(published.w8a8),
        {"quant_method": "compressed-tensors", "format": "int-quantized", "config_groups": {"group_0": {"weights": {"num_bits": 8}}}},
    ),
    "MLX-4": (packed(published.mlx(4), keep=MLX_KEEPS), {"group_size": 64, "bits": 4}),
    "MLX-8": (packed(published.mlx(8), keep=MLX_KEEPS), {"group_size": 64, "bits": 8}),
    "MLX-mixed": (packed(published.mlx_mixed, keep=MLX_KEEPS), {"group_size": 64, "bits": 4}),
    "HQQ": (packed(published.hqq, rest="F16"), {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 4, "group_size": 64}}}),
    "EXL2": (packed(published.exl2, rest="F16", keep=NO_HEAD), {"quant_method": "exl2", "bits": 4.0}),
    "EXL3": (packed(published.exl3, rest="F16"), {"quant_method": "exl3", "bits": 4.0}),
    "AQLM": (packed(published.aqlm, rest="F16"), {"quant_method": "aqlm", "nbits_per_codebook": 16}),
    "Quanto": (packed(published.quanto), {"quant_method": "quanto", "weights": "int4"}),
    "torchao": (packed(published.torchao), {"quant_method": "torchao", "quant_type": {"default": {"_type": "Int8WeightOnlyConfig"}}}),
    "SpQR": (packed(published.spqr, rest="F16"), {"quant_method": "spqr", "bits": 3}),
    "VPTQ": (packed(published.vptq, rest="F16"), {}),
    "MXFP4": (published.mxfp4, {"quant_method": "mxfp4"}),
}  # fmt: skip

# The model, its layout, shards; parameters as published, billions of these active as its makers say (gpt-oss' leave the
# table of embeddings out); then what weigh is to say: method, scheme, bits, group, context.
REPOSITORIES = """
Llama-2-7b         BF16         2   6738415616    -            none                BF16    16   -    4096
Llama-2-13b        F16          3   13015864320   -            none                F16     16   -    4096
Llama-3.1-8B       BF16         4   8030261248    -            none                BF16    16   -    131072
Llama-3.1-70B      BF16         30  70553706496   -            none                BF16    16   -    131072
Llama-3.2-1B       BF16         1   1235814400    -            none                BF16    16   -    131072
Llama-3.2-3B       BF16         2   3212749824    -            none                BF16    16   -    131072
TinyLlama-1.1B     F32          1   1100048384    -            none                F32     32   -    2048
Yi-6B              BF16         2   6061035520    -            none                BF16    16   -    4096
SmolLM2-135M       BF16         1   134515008     -            none                BF16    16   -    8192
Mistral-7B-v0.1    BF16         2   7241732096    -            none                BF16    16   -    32768
Mixtral-8x7B-v0.1  BF16         19  46702792704   12.9         none                BF16    16   -    32768
Qwen2.5-0.5B       BF16         1   494032768     -            none                BF16    16   -    32768
Qwen2.5-7B         BF16         4   7615616512    -            none                BF16    16   -    32768
Qwen2.5-72B        BF16         37  72706203648   -            none                BF16    16   -    32768
Qwen3-0.6B         BF16         1   596049920     -            none                BF16    16   -    40960
Qwen3-8B           BF16         5   8190735360    -            none                BF16    16   -    40960
Qwen3-32B          BF16         17  32762123264   -            none                BF16    16   -    40960
Qwen3-30B-A3B      BF16         16  30532122624   3.3          none                BF16    16   -    40960
Qwen3-235B-A22B    BF16         118 235093634560  22           none                BF16    16   -    40960
gemma-2-2b         F32          3   2614341888    -            none                F32     32   -    8192
gemma-2-9b         BF16         4   9241705984    -            none                BF16    16   -    8192
Phi-3-mini-4k      BF16         2   3821079552    -            none                BF16    16   -    4096
phi-4              BF16         6   14659507200   -            none                BF16    16   -    16384
gpt2               F32          1   124439808     -            none                F32     32   -    1024
pythia-1.4b        F16          1   1414647808    -            none                F16     16   -    2048
gpt-oss-20b        MXFP4        3   20914757184   3.6          MXFP4               MXFP4   4    -    131072
gpt-oss-120b       MXFP4        15  116829156672  5.1          MXFP4               MXFP4   4    -    131072
DeepSeek-V3        FP8-block    163 671026404352  37           FP8                 FP8     8    -    163840
Qwen3-30B-A3B      FP8-block    7   30532122624   3.3          FP8                 FP8     8    -    40960
Llama-3.1-70B      FP8-channel  15  70553706496   -            FP8                 FP8     8    -    131072
Llama-3.1-8B       FP8-tensor   2   8030261248    -            FP8                 FP8     8    -    131072
Llama-3.1-70B      FBGEMM       15  70553706496   -            FP8                 FP8     8    -    131072
Llama-3.1-8B       GPTQ-4       2   8030261248    -            GPTQ                Int4    4    128  131072
Qwen2.5-7B         GPTQ-8       3   7615616512    -            GPTQ                Int8    8    128  32768
Mixtral-8x7B-v0.1  GPTQ-4       1   46702792704   12.9         GPTQ                Int4    4    128  32768
Qwen2.5-72B        AWQ          11  72706203648   -            AWQ                 Int4    4    128  32768
Qwen2.5-0.5B       AWQ          1   494032768     -            AWQ                 Int4    4    128  32768
Llama-3.1-8B       NF4          2   8030261248    -            BNB                 NF4     4    -    131072
Llama-3.2-3B       NF4          1   3212749824    -            BNB                 NF4     4    -    131072
Mistral-7B-v0.1    LLM.int8     2   7241732096    -            BNB                 Int8    8    -    32768
Llama-3.1-8B       NVFP4        2   8030261248    -            NVFP4               NVFP4   4    16   131072
Qwen3-32B          NVFP4-pack   4   32762123264   -            NVFP4               NVFP4   4    -    40960
Llama-3.1-8B       W4A16        2   8030261248    -            compressed-tensors  W4A16   4    128  131072
Llama-3.1-70B      W8A8         15  70553706496   -            -                   W8A8    8    -    131072
Qwen3-30B-A3B      W4A16        4   30532122624   3.3          compressed-tensors  W4A16   4    128  40960
Llama-3.2-3B       MLX-4        1   3212749824    -            MLX                 4bit    4    64   131072
Qwen3-8B           MLX-8        2   8190735360    -            MLX                 8bit    8    64   40960
Mistral-7B-v0.1    MLX-mixed    1   7241732096    -            MLX                 4bit    4    64   32768
Llama-2-7b         HQQ          1   6738415616    -            HQQ                 4bit    4    64   4096
Llama-3.1-8B       EXL2         1   8030261248    -            EXL2                EXL2    4    -    131072
Qwen3-8B           EXL3         1   8190735360    -            EXL3                EXL3    4    -    40960
Llama-2-7b         AQLM         1   6738415616    -            AQLM                2bit    2    -    4096
Llama-3.1-8B       Quanto       1   8030261248    -            Quanto              Int4    4    -    131072
Qwen3-8B           torchao      1   8190735360    -            torchao             Int8    8    -    40960
Llama-2-7b         SpQR         1   6738415616    -            SpQR                SpQR    3    -    4096
Llama-3.1-8B       VPTQ         1   8030261248    -            VPTQ                VPTQ    -    -    131072
"""  # fmt: skip


def made(folder: Path, model: str, layout: str, shards: int) -> tuple[int, int]:
    """The repository, header by header; what its class itself counts, and in its table of embeddings."""
    name, differs = MODELS[model]
    stem = name.removesuffix("LMHead")
    config = getattr(transformers, f"{stem}Config")(**differs)
    model_class = f"{name}Model" if name.endswith("Head") else f"{name}ForCausalLM"
    found = published.shapes(model_class, config, fused=layout == "MXFP4")
    lay_out, quantisation = LAYOUTS[layout]
    quantisation = published.vptq_config(found) if layout == "VPTQ" else quantisation
    stated = {**config.to_dict(), "architectures": [model_class]}
    if quantisation:
        stated["quantization" if layout.startswith("MLX") else "quantization_config"] = quantisation
    published.write(folder, stated, lay_out(found), shards=shards)
    table = next(math.prod(shape) for name, shape in found.items() if "embed" in name or "wte" in name)
    return sum(math.prod(shape) for shape in found.values()), table


@pytest.mark.parametrize("line", REPOSITORIES.strip().splitlines(), ids=lambda line: " ".join(line.split()[:2]))
def test_a_published_repository_is_counted_as_its_makers_count_it(tmp_path: Path, line: str) -> None:
    model, layout, shards, count, active, method, scheme, bits, group, context = line.split()
    by_class, table = made(tmp_path, model, layout, int(shards))
    found = weigh(str(tmp_path)).model
    assert found is not None and found.num_parameters is not None
    assert (found.num_parameters.value, by_class) == (int(count), int(count))
    assert (found.num_active_parameters is None) == (active == "-")
    if found.num_active_parameters is not None:
        counted = found.num_active_parameters.value
        assert any(value / 1e9 == pytest.approx(float(active), rel=0.02) for value in (counted, counted - table))
    quant = found.quantisation.value if found.quantisation is not None else None
    assert quant is not None
    assert (
        quant.method or "-",
        quant.scheme,
        f"{quant.bits:g}" if quant.bits is not None else "-",
        str(quant.group or "-"),
    ) == (
        method,
        scheme,
        bits,
        group,
    )
    assert found.context_length is not None and found.context_length.value == int(context)


def test_there_are_more_than_forty() -> None:
    rows = [line.split()[:2] for line in REPOSITORIES.strip().splitlines()]
    assert len({tuple(row) for row in rows}) == len(rows) > 40
