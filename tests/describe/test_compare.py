"""What a name says is held against what files hold, claim by claim."""

from __future__ import annotations

from typing import Any

import pytest

from weigh.core.claim import Claim
from weigh.core.header import Header
from weigh.core.model import ModelFile
from weigh.core.tensors import TensorInfo
from weigh.describe.compare import compare
from weigh.describe.merge import merge
from weigh.knowledge.dtypes import dtypes
from weigh.knowledge.gguf_mixes import gguf_mixes
from weigh.names.decode import decode

MILLION = 1_000_000


def tensor(name: str, dtype: str, *shape: int) -> TensorInfo:
    one = TensorInfo(name=name, dtype=dtype, shape=shape)
    return TensorInfo(name=name, dtype=dtype, shape=shape, nbytes=dtypes()[dtype].nbytes(one.num_elements))


def file(path: str, format: str, *tensors: TensorInfo, **metadata: Any) -> ModelFile:
    header = Header(format=format, tensors=tensors, metadata=metadata)
    return ModelFile(path=path, format=format, nbytes=sum(one.nbytes or 0 for one in tensors), header=header)


def claims(name: str, *files: ModelFile, **folder: Any) -> dict[str, Claim]:
    model = merge(files, Header(format="huggingface", metadata=folder) if folder else None, None)
    return {claim.field: claim for claim in compare(decode(name), model)}


# Name, then millions of parameters: all, in token embeddings, in the part that sees.
HONEST = """
Qwen2.5-7B                    7616  1090    0
gemma-2b                      2506   524    0
gemma-7b                      8538   786    0
Llama-2-7b                    6738   262    0
Llama-3.2-1B                  1236   263    0
MiniCPM-2B-sft                2725   283    0
granite-3.0-2b-base           2634   100    0
Qwen2-VL-7B                   8291  1090  676
Qwen2.5-VL-3B-Instruct        3755   311  669
InternVL2-1B                   938   136  304
Qwen3-0.6B                     596   156    0
pythia-70m                      70    51    0
gemma-3-270m                   268   168    0
RWKV-7-0.1B                    191   100    0
StableLM-3B-4E1T              2795   257    0
DeepSeek-V3-671B            684500  1850    0
Mixtral-8x7B-v0.1            46703   262    0
Phi-3.5-MoE-16x3.8B          41870   260    0
opt-350m                       331    26    0
Qwen3-30B-A3B                30532   622    0
"""
LYING = """
Nova-7B     1100   100  0
Nova-13B    7000   260  0
Nova-70B    8030  1050  0
Nova-3B     1236   260  0
Nova-1B     7616  1090  0
Nova-8x7B   7242   262  0
"""


def of_size(line: str) -> Claim:
    name, *millions = line.split()
    total, embedding, sense = (int(number) * MILLION for number in millions)
    tensors = (
        tensor("model.layers.0.mlp.up_proj.weight", "BF16", total - embedding - sense),
        tensor("model.embed_tokens.weight", "BF16", embedding),
        tensor("vision_tower.proj.weight", "BF16", sense),
    )
    return claims(name, file("model.safetensors", "safetensors", *tensors))["size"]


@pytest.mark.parametrize("line", HONEST.strip().splitlines())
def test_a_size_rounded_as_makers_round_holds(line: str) -> None:
    assert of_size(line).verdict == "holds"


@pytest.mark.parametrize("line", LYING.strip().splitlines())
def test_another_size_does_not_hold(line: str) -> None:
    assert of_size(line).verdict == "does_not_hold"


def blocks(dtype: str, rest: str | None = None) -> tuple[TensorInfo, ...]:
    down = tensor("blk.0.ffn_down.weight", rest or dtype, 1024, 256)
    return tensor("blk.0.ffn_up.weight", dtype, 4096, 256), down, tensor("blk.0.attn_norm.weight", "F32", 256)


GGUF = {"general.architecture": "llama"}
# Label, type of most of the blocks, type of the rest, whether that may be called so.
MIXES = """
Q4_K_M   Q4_K  Q6_K  yes
Q4_K_M   F16   F16   no
Q4_K_M   Q2_K  Q3_K  no
Q4_K_M   Q8_0  Q8_0  no
Q4_K_S   Q4_K  Q5_K  yes
Q5_K_M   Q5_K  Q6_K  yes
Q5_K_M   Q4_K  Q6_K  no
Q6_K     Q6_K  Q6_K  yes
Q8_0     Q8_0  Q8_0  yes
Q8_0     F16   F16   no
Q2_K     Q2_K  Q3_K  yes
IQ4_XS   IQ4_XS Q5_K yes
F16      F16   F16   yes
F16      BF16  BF16  no
UD-Q4_K_XL Q4_K Q6_K yes
UD-Q2_K_XL F16 F16   no
"""


@pytest.mark.parametrize("line", MIXES.strip().splitlines())
def test_a_gguf_label_is_held_against_the_types_of_the_blocks(line: str) -> None:
    label, most, rest, honest = line.split()
    found = claims(f"Llama-3-8B-{label}.gguf", file("model.gguf", "gguf", *blocks(most, rest), **GGUF))
    assert found["quant"].verdict == ("holds" if honest == "yes" else "does_not_hold")


def test_a_large_vocabulary_does_not_make_a_label_wrong() -> None:
    table = tensor("token_embd.weight", "Q6_K", 262_144, 256)
    found = claims("gemma-3-270m-Q4_K_M.gguf", file("model.gguf", "gguf", table, *blocks("Q4_K"), **GGUF))
    assert found["quant"].verdict == "holds"


@pytest.mark.parametrize("label", sorted(gguf_mixes()))
def test_blocks_of_a_labels_own_type_are_within_its_range(label: str) -> None:
    mix = gguf_mixes()[label]
    least, most = mix.bits_per_weight
    assert least <= dtypes()[mix.main[0]].bits <= most


def linear(*rows: tuple[Any, ...]) -> ModelFile:
    return file("model.safetensors", "safetensors", *(tensor(f"layer.{name}", *rest) for name, *rest in rows))


GPTQ = linear(("qweight", "I32", 32, 128), ("qzeros", "I32", 2, 16), ("scales", "F16", 2, 128))
AWQ = linear(("qweight", "I32", 256, 16), ("qzeros", "I32", 2, 16), ("scales", "F16", 2, 128))
PACKED = linear(("weight_packed", "I32", 128, 32), ("weight_scale", "F16", 128, 2), ("weight_shape", "I64", 2))
PLAIN = linear(("weight", "F16", 128, 256))


@pytest.mark.parametrize(
    ("name", "files", "verdict"),
    [
        ("Nova-7B-GPTQ-Int4", GPTQ, "holds"),
        ("Nova-7B-GPTQ-Int8", GPTQ, "does_not_hold"),
        ("Nova-7B-AWQ", AWQ, "holds"),
        ("Nova-7B-AWQ", GPTQ, "does_not_hold"),
        ("Nova-7B-AWQ", PACKED, "holds"),  # llm-compressor's layout serves many methods
        ("Nova-7B-GPTQ-Int4", PLAIN, "does_not_hold"),
        ("Nova-7B-FP8", PLAIN, "does_not_hold"),
        ("Nova-7B-FP16", PLAIN, "holds"),
        ("Nova-7B-BF16", PLAIN, "does_not_hold"),
    ],
)
def test_a_packing_is_held_against_the_tensors(name: str, files: ModelFile, verdict: str) -> None:
    assert claims(name, files)["quant"].verdict == verdict


@pytest.mark.parametrize(
    ("name", "verdict"), [("Nova-7B-exl2-4.0bpw", "holds"), ("Nova-7B-exl2-8.0bpw", "does_not_hold")]
)
def test_bits_a_weight_are_counted(name: str, verdict: str) -> None:
    exl2 = linear(("q_weight", "I32", 32, 128), ("q_invperm", "I16", 256), ("q_scale", "I32", 8, 16))
    assert claims(name, exl2)["bits_per_weight"].verdict == verdict


@pytest.mark.parametrize(
    ("name", "files", "folder"),
    [
        ("Nova-70B-00002-of-00003.safetensors", file("Nova-70B-00002-of-00003.safetensors", "safetensors", *PLAIN.header.tensors), {}),  # type: ignore[union-attr]
        ("mmproj-Qwen2-VL-7B-f16.gguf", file("m.gguf", "gguf", tensor("v.blk.0.a.weight", "F16", 32, 32), **{"general.architecture": "clip"}), {}),
        ("Nova-7B-lora", file("adapter_model.safetensors", "safetensors", tensor("q.lora_A.weight", "F32", 8, 64)), {"adapter_config": {"base_model_name_or_path": "nova/Nova-7B"}}),
        ("Nova-7B-lora.gguf", file("l.gguf", "gguf", tensor("q.lora_a", "F32", 8, 64), **{"general.architecture": "llama", "general.type": "adapter"}), {}),
    ],
    ids=["a shard", "a projector", "an adapter", "an adapter in GGUF"],
)  # fmt: skip
def test_what_is_only_a_part_is_not_held_against_the_size_of_the_whole(
    name: str, files: ModelFile, folder: dict[str, Any]
) -> None:
    found = claims(name, files, **folder)
    assert found["size"].verdict == "cannot_tell"
    assert "active_size" not in found


TOKENIZER = {"tokenizer": {"model": "BPE", "num_tokens": 9}}


@pytest.mark.parametrize(
    ("name", "folder", "verdict"),
    [
        ("Nova-7B-Instruct", TOKENIZER | {"chat_template": "{{ messages }}"}, "holds"),
        ("Nova-7B-Instruct", TOKENIZER, "does_not_hold"),
        ("Nova-7B-Instruct", {"config": {"model_type": "llama"}}, "cannot_tell"),
        ("Nova-7B-Base", TOKENIZER | {"chat_template": "{{ messages }}"}, "cannot_tell"),
        ("e5-mistral-7b-instruct", TOKENIZER, None),  # it embeds; there is nothing to talk to
    ],
)
def test_an_instruct_model_carries_a_chat_template(name: str, folder: dict[str, Any], verdict: str | None) -> None:
    found = claims(name, PLAIN, **folder).get("function")
    assert (found.verdict if found is not None else None) == verdict


@pytest.mark.parametrize(
    ("name", "model_type", "verdict"),
    [
        ("Qwen2.5-7B", "qwen2", "holds"),
        ("DeepSeek-R1-Distill-Qwen-7B", "qwen2", "holds"),
        ("Mixtral-8x7B", "mixtral", "holds"),
        ("Qwen2.5-7B", "llama", "does_not_hold"),
        ("Qwen2.5-7B", "never-seen", "cannot_tell"),
    ],
)
def test_a_family_is_held_against_the_architecture(name: str, model_type: str, verdict: str) -> None:
    assert claims(name, PLAIN, config={"model_type": model_type})["family"].verdict == verdict


@pytest.mark.parametrize(("longest", "verdict"), [(131_072, "holds"), (4096, "does_not_hold"), (None, "cannot_tell")])
def test_a_context_is_held_against_the_configuration(longest: int | None, verdict: str) -> None:
    config = {"model_type": "phi3", "max_position_embeddings": longest}
    assert claims("Phi-3-mini-128k-instruct", PLAIN, config=config)["context"].verdict == verdict


@pytest.mark.parametrize(
    ("keys", "verdict"),
    [
        ({"split.no": 1, "split.count": 3}, "holds"),
        ({"split.no": 2, "split.count": 3}, "does_not_hold"),
        ({"split.no": "1"}, "cannot_tell"),
        ({}, "cannot_tell"),
    ],
)
def test_a_shards_number_is_held_against_its_header(keys: dict[str, Any], verdict: str) -> None:
    shard = file("x-00002-of-00003.gguf", "gguf", *blocks("Q4_K"), **GGUF, **keys)
    assert claims("Nova-70B-Q4_K_M-00002-of-00003.gguf", shard)["shard"].verdict == verdict


def test_a_name_without_files_is_held_against_nothing() -> None:
    assert claims("Qwen2.5-7B-Instruct") == {}
