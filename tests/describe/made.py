"""Small folders and files made from a line of words: shapes as published, bytes only where a case needs them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from weigh.knowledge.dtypes import dtypes

Shape = dict[str, Any]
Tensor = tuple[str, str, tuple[int, ...]]


def _shape(kind: str, hidden: int, layers: int, vocab: int, wide: int, heads: int, kv: int, **more: Any) -> Shape:
    return {
        "model_type": kind,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "vocab_size": vocab,
        "intermediate_size": wide,
        "num_attention_heads": heads,
        "num_key_value_heads": kv,
        "max_position_embeddings": 32768,
        **more,
    }


SEES = {"vision_config": {"model_type": "qwen2_5_vl", "hidden_size": 1280, "depth": 32}}
HEARS = {"audio_config": {"model_type": "qwen2_audio_encoder", "d_model": 1280}}
MOE = {"num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768, "head_dim": 128}
SHAPES = {
    "qwen2-7b": _shape("qwen2", 3584, 28, 152064, 18944, 28, 4),
    "qwen2-0.5b": _shape("qwen2", 896, 24, 151936, 4864, 14, 2, tie_word_embeddings=True),
    "llama-8b": _shape("llama", 4096, 32, 128256, 14336, 32, 8),
    "llama-70b": _shape("llama", 8192, 80, 128256, 28672, 64, 8),
    "mistral-7b": _shape("mistral", 4096, 32, 32768, 14336, 32, 8),
    "mixtral-8x7b": _shape("mixtral", 4096, 32, 32000, 14336, 32, 8, num_local_experts=8, num_experts_per_tok=2),
    "qwen3-30b-a3b": _shape("qwen3_moe", 2048, 48, 151936, 6144, 32, 4, **MOE),
    "gemma2-2b": _shape("gemma2", 2304, 26, 256000, 9216, 8, 4, head_dim=256, tie_word_embeddings=True),
    "phi3-mini": _shape("phi3", 3072, 32, 32064, 8192, 32, 32),
    "bert-base": _shape("bert", 768, 12, 30522, 3072, 12, 12, max_position_embeddings=512),
    "qwen2.5-vl-7b": _shape("qwen2_5_vl", 3584, 28, 152064, 18944, 28, 4, **SEES),
    "qwen2-audio-7b": _shape("qwen2_audio", 4096, 32, 156032, 11008, 32, 32, **HEARS),
    "whisper-tiny": _shape("whisper", 384, 4, 51865, 1536, 6, 6, d_model=384, encoder_layers=4, decoder_layers=4),
    "tiny-qwen2": _shape("qwen2", 64, 2, 512, 128, 4, 2),
    "tiny-llama": _shape("llama", 64, 2, 512, 128, 4, 4),
    "mini-qwen2": _shape("qwen2", 128, 4, 1024, 512, 4, 4),
    "mini-llama": _shape("llama", 128, 4, 1024, 512, 4, 4),
}
CLASSES = {
    "qwen2": "Qwen2ForCausalLM",
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "mixtral": "MixtralForCausalLM",
    "qwen3_moe": "Qwen3MoeForCausalLM",
    "gemma2": "Gemma2ForCausalLM",
    "phi3": "Phi3ForCausalLM",
    "bert": "BertForMaskedLM",
    "qwen2_5_vl": "Qwen2_5_VLForConditionalGeneration",
    "qwen2_audio": "Qwen2AudioForConditionalGeneration",
    "whisper": "WhisperForConditionalGeneration",
}
TEMPLATE = "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}{% endfor %}"
WORDS = {
    "zh": [chr(0x4E00 + i) + chr(0x5000 + i) for i in range(1500)],
    "ja": [chr(0x3041 + i % 83) + chr(0x30A1 + i // 83 % 83) + "の" for i in range(1500)],
    "ko": [chr(0xAC00 + i * 5) for i in range(1500)],
    "ru": [chr(0x430 + i % 32) + chr(0x430 + i // 32) + "ов" for i in range(1000)],
    "ar": [chr(0x627 + i % 20) + chr(0x628 + i // 20 % 20) + chr(0x644) * (i // 400 + 1) for i in range(1200)],
    "de": [chr(97 + i % 26) + "ü" + chr(97 + i // 26 % 26) + "ß" * (i // 676) for i in range(1300)],
    "en": [],
    "bytes": None,
}


def made(words: str, name: str, root: Path) -> Path:
    """What the words say, under this name; the path to weigh."""
    kind, shape, *more = words.split()
    options = dict(one.partition("=")[::2] for one in more)
    root.mkdir(parents=True, exist_ok=True)
    if kind == "gguf":
        return _gguf(dict(SHAPES[shape]), options, root / name)
    if kind == "file":
        return _safetensors(_tensors(SHAPES[shape], "BF16", {}), root / name, options)
    folder = root / name
    folder.mkdir()
    _folder(dict(SHAPES[shape]), options, folder)
    if kind == "adapter":
        (folder / "config.json").unlink()
        (folder / "model.safetensors").unlink()
        _adapter(folder)
    return folder


def _folder(config: Shape, options: dict[str, str], folder: Path) -> None:
    dtype = options.get("dtype", "BF16")
    tensors = [one for row in _tensors(config, dtype, options) for one in _packed(row, options)]
    kind = config["model_type"]
    config |= {"architectures": [CLASSES[kind]], "torch_dtype": "bfloat16", **_stated(options)}
    config = _changed(config, options)
    if "no-config" not in options:
        (folder / "config.json").write_text(json.dumps(config))
    _tokenizer(options, folder)
    if "base" in options:
        (folder / "README.md").write_text(f"---\nbase_model: {options['base']}\n---\n# A model\n")
    if "no-weights" not in options:
        _safetensors(tensors, folder / "model.safetensors", options)


def _changed(config: Shape, options: dict[str, str]) -> Shape:
    """The configuration with what the case says of context and experts; 0 leaves it out."""
    if "context" in options:
        config["max_position_embeddings"] = int(options["context"])
    if "yarn" in options:
        trained = config["max_position_embeddings"]
        factor = float(options["yarn"])
        config["rope_scaling"] = {"type": "yarn", "factor": factor, "original_max_position_embeddings": trained}
    if "used" in options:
        config["num_experts_per_tok"] = int(options["used"])
    return {key: value for key, value in config.items() if value != 0}


def _stated(options: dict[str, str]) -> Shape:
    if "gptq4" in options:
        return {"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False}}
    if "awq4" in options:
        return {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm"}}
    if "fp8" in options:
        return {"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}}
    if "mlx4" in options:
        return {"quantization": {"group_size": 64, "bits": 4}}
    return {}


def _tokenizer(options: dict[str, str], folder: Path) -> None:
    if "no-tokenizer" in options:
        return
    settings: dict[str, str] = {"tokenizer_class": "PreTrainedTokenizerFast"}
    if "template" in options:
        settings["chat_template"] = TEMPLATE
    if "template-file" in options:
        (folder / "chat_template.jinja").write_text(TEMPLATE)
    if "template" in options or "template-file" in options or "tok" in options:
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
        vocabulary = {token: number for number, token in enumerate(_vocabulary(options))}
        table = {"version": "1.0", "added_tokens": [], "normalizer": None, "pre_tokenizer": None}
        table["model"] = {"type": "BPE", "vocab": vocabulary, "merges": []}
        (folder / "tokenizer.json").write_text(json.dumps(table, ensure_ascii=False))


def _vocabulary(options: dict[str, str]) -> list[str]:
    words = WORDS[options.get("tok", "en")]
    if words is None:
        return [f"<0x{number:02X}>" for number in range(256)]
    latin = ["▁" + chr(97 + i % 26) + chr(97 + i // 26 % 26) + chr(97 + i // 676) for i in range(1500)]
    return list(dict.fromkeys([*latin, *words]))


def _adapter(folder: Path) -> None:
    (folder / "adapter_config.json").write_text(
        json.dumps({"peft_type": "LORA", "r": 8, "base_model_name_or_path": "Qwen/Qwen2.5-0.5B"})
    )
    stem = "base_model.model.model.layers.{}.self_attn.q_proj.lora_{}.weight"
    tensors: list[Tensor] = []
    for layer in range(4):
        tensors += [(stem.format(layer, "A"), "F32", (8, 128)), (stem.format(layer, "B"), "F32", (128, 8))]
    _safetensors(tensors, folder / "adapter_model.safetensors", {"weights": "normal"})


def _tensors(config: Shape, dtype: str, options: dict[str, str]) -> list[Tensor]:
    kind = config["model_type"]
    if kind == "whisper":
        return [(name, dtype, shape) for name, shape in _whisper(config)]
    rows = _bert(config) if kind == "bert" else _decoder(config)
    if kind == "qwen2_5_vl":
        rows = [*rows, *((f"visual.blocks.{i}.attn.qkv.weight", (3840, 5120)) for i in range(32))]
    if kind == "qwen2_audio":
        rows = [(f"language_model.{name}", shape) for name, shape in rows]
        rows += [(f"audio_tower.layers.{i}.fc1.weight", (5120, 1280)) for i in range(32)]
    return [(name, dtype, shape) for name, shape in rows]


def _decoder(config: Shape) -> Iterator[tuple[str, tuple[int, ...]]] | list[tuple[str, tuple[int, ...]]]:
    h, wide, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    head = config.get("head_dim", h // heads)
    q, kv = heads * head, config["num_key_value_heads"] * head
    rows: list[tuple[str, tuple[int, ...]]] = [("model.embed_tokens.weight", (config["vocab_size"], h))]
    for number in range(config["num_hidden_layers"]):
        at = f"model.layers.{number}"
        if config["model_type"] == "phi3":
            rows += [(f"{at}.self_attn.qkv_proj.weight", (q + 2 * kv, h)), (f"{at}.self_attn.o_proj.weight", (h, q))]
            rows += [(f"{at}.mlp.gate_up_proj.weight", (2 * wide, h)), (f"{at}.mlp.down_proj.weight", (h, wide))]
        else:
            rows += [(f"{at}.self_attn.{one}_proj.weight", (q if one == "q" else kv, h)) for one in "qkv"]
            rows += [(f"{at}.self_attn.o_proj.weight", (h, q))]
            rows += list(_feed_forward(config, at))
        if config["model_type"].startswith("qwen2"):
            rows += [(f"{at}.self_attn.{one}_proj.bias", (q if one == "q" else kv,)) for one in "qkv"]
        rows += [(f"{at}.{one}_layernorm.weight", (h,)) for one in ("input", "post_attention")]
    rows += [("model.norm.weight", (h,))]
    if not config.get("tie_word_embeddings"):
        rows += [("lm_head.weight", (config["vocab_size"], h))]
    return rows


def _feed_forward(config: Shape, at: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    h, wide = config["hidden_size"], config["intermediate_size"]
    if experts := config.get("num_local_experts"):
        yield f"{at}.block_sparse_moe.gate.weight", (experts, h)
        for one in range(experts):
            for part, shape in (("w1", (wide, h)), ("w2", (h, wide)), ("w3", (wide, h))):
                yield f"{at}.block_sparse_moe.experts.{one}.{part}.weight", shape
    elif experts := config.get("num_experts"):
        wide = config["moe_intermediate_size"]
        yield f"{at}.mlp.gate.weight", (experts, h)
        for one in range(experts):
            for part, shape in (("gate", (wide, h)), ("up", (wide, h)), ("down", (h, wide))):
                yield f"{at}.mlp.experts.{one}.{part}_proj.weight", shape
    else:
        for part, shape in (("gate", (wide, h)), ("up", (wide, h)), ("down", (h, wide))):
            yield f"{at}.mlp.{part}_proj.weight", shape


def _bert(config: Shape) -> list[tuple[str, tuple[int, ...]]]:
    h, wide = config["hidden_size"], config["intermediate_size"]
    rows: list[tuple[str, tuple[int, ...]]] = [("bert.embeddings.word_embeddings.weight", (config["vocab_size"], h))]
    for number in range(config["num_hidden_layers"]):
        at = f"bert.encoder.layer.{number}"
        rows += [(f"{at}.attention.self.{one}.weight", (h, h)) for one in ("query", "key", "value")]
        rows += [(f"{at}.intermediate.dense.weight", (wide, h)), (f"{at}.output.dense.weight", (h, wide))]
    return rows


def _whisper(config: Shape) -> Iterator[tuple[str, tuple[int, ...]]]:
    h, wide = config["hidden_size"], config["intermediate_size"]
    yield "model.decoder.embed_tokens.weight", (config["vocab_size"], h)
    for side in ("encoder", "decoder"):
        for number in range(4):
            at = f"model.{side}.layers.{number}"
            for one in "qkv":
                yield f"{at}.self_attn.{one}_proj.weight", (h, h)
            yield f"{at}.fc1.weight", (wide, h)
            yield f"{at}.fc2.weight", (h, wide)


def _packed(row: Tensor, options: dict[str, str]) -> list[Tensor]:
    """A matrix of a block as its packing stores it."""
    name, _, shape = row
    if not name.endswith("_proj.weight") or len(shape) != 2:
        return [row]
    stem, (out, within) = name.removesuffix(".weight"), shape
    if "gptq4" in options:
        groups = [("qzeros", "I32", (within // 128, out // 8)), ("scales", "F16", (within // 128, out))]
        rows = [("qweight", "I32", (within // 8, out)), *groups, ("g_idx", "I32", (within,))]
        return [(f"{stem}.{part}", kind, size) for part, kind, size in rows]
    if "awq4" in options:
        groups = [("qzeros", "I32", (within // 128, out // 8)), ("scales", "F16", (within // 128, out))]
        return [
            (f"{stem}.{part}", kind, size) for part, kind, size in [("qweight", "I32", (within, out // 8)), *groups]
        ]
    if "fp8" in options:
        scales = (-(-out // 128), -(-within // 128))
        return [(name, "F8_E4M3", shape), (f"{stem}.weight_scale_inv", "F32", scales)]
    if "mlx4" in options:
        beside = [(f"{stem}.{part}", "F16", (out, within // 64)) for part in ("scales", "biases")]
        return [(name, "U32", (out, within // 8)), *beside]
    return [row]


def _safetensors(tensors: list[Tensor], path: Path, options: dict[str, str]) -> Path:
    """Sparse, but where the case says what the weights hold."""
    table, at = {}, 0
    for name, dtype, shape in tensors:
        nbytes = dtypes()[dtype].nbytes(math.prod(shape))
        table[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + nbytes]}
        at += nbytes
    if "lfs" in options:
        path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize {at}\n")
        return path
    header = json.dumps(table).encode()
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for number, (name, dtype, shape) in enumerate(tensors if "weights" in options else []):
            file.write(_bytes(_values(name, shape, options["weights"], number), dtype))
        file.truncate(8 + len(header) + at)
    return path


def _values(name: str, shape: tuple[int, ...], how: str, number: int) -> np.ndarray:
    chance = np.random.default_rng(number)
    if how == "zeros":
        return np.zeros(shape, np.float32)
    fresh = how in ("normal", "uniform", "xavier")
    if name.endswith(("norm.weight", "layernorm.weight")):
        return np.ones(shape, np.float32) if fresh else chance.uniform(0.3, 2, shape).astype(np.float32)
    if len(shape) < 2:
        return np.zeros(shape, np.float32) if fresh else chance.normal(0, 0.3, shape).astype(np.float32)
    if how in ("normal", "normal-norms"):
        return chance.normal(0, 0.02, shape).astype(np.float32)
    if how in ("uniform", "xavier"):
        bound = math.sqrt(6 / sum(shape)) if how == "xavier" else math.sqrt(1 / shape[1])
        return chance.uniform(-bound, bound, shape).astype(np.float32)
    rows = chance.lognormal(0, 0.3, (shape[0], 1)) * chance.uniform(0.01, 0.06)
    return (chance.standard_t(6, shape) * rows).astype(np.float32)


def _bytes(values: np.ndarray, dtype: str) -> bytes:
    if dtype == "BF16":
        return (values.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return values.astype({"F32": "<f4", "F16": "<f2"}[dtype]).tobytes()


def _gguf(config: Shape, options: dict[str, str], path: Path) -> Path:
    """Written by the reference library's writer; the data of its tensors are sparse or what the case says."""
    kind = next(one for one in options if one.upper() in dtypes() or one in dtypes())
    if "lfs" in options:
        path.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 4683073344\n")
        return path
    arch = {"qwen3_moe": "qwen3moe"}.get(config["model_type"], config["model_type"])
    writer = gguf.GGUFWriter(path, arch)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_context_length(int(options.get("context", config["max_position_embeddings"])))
    if "num_experts" in config:
        writer.add_expert_count(config["num_experts"])
        writer.add_expert_used_count(int(options.get("used", config["num_experts_per_tok"])))
        writer.add_expert_feed_forward_length(config["moe_intermediate_size"])
        writer.add_key_length(config["head_dim"])
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(_vocabulary(options))
    if "template" in options:
        writer.add_chat_template(TEMPLATE)
    if "base" in options:
        org, _, base = options["base"].partition("/")
        writer.add_base_model_count(1)
        writer.add_base_model_name(0, base)
        writer.add_base_model_organization(0, org)
        writer.add_base_model_repo_url(0, f"https://huggingface.co/{options['base']}")
    if "split" in options:
        number, _, count = options["split"].partition("/")
        writer.add_uint16("split.no", int(number))
        writer.add_uint16("split.count", int(count))
    _gguf_tensors(writer, config, kind, options)
    return path


def _gguf_tensors(writer: gguf.GGUFWriter, config: Shape, kind: str, options: dict[str, str]) -> None:
    quant = gguf.GGMLQuantizationType[kind]
    rows = [
        (name, shape, quant if len(shape) > 1 else gguf.GGMLQuantizationType.F32) for name, shape in _blocks(config)
    ]
    sizes = []
    for name, shape, one in rows:
        block, block_bytes = gguf.GGML_QUANT_SIZES[one]
        sizes.append(math.prod(shape) // block * block_bytes)
        writer.add_tensor_info(name, shape, np.dtype(np.float16), sizes[-1], raw_dtype=one)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    file = writer.fout[0]
    start = -(-file.tell() // 32) * 32
    for number, ((name, shape, one), nbytes) in enumerate(zip(rows, sizes, strict=True)):
        if "weights" in options and one.name in ("F16", "F32"):
            file.seek(start)
            file.write(_bytes(_values(name.replace("_norm", "norm"), shape, options["weights"], number), one.name))
        start += -(-nbytes // 32) * 32
    file.truncate(start)
    writer.close()


def _blocks(config: Shape) -> Iterator[tuple[str, tuple[int, ...]]]:
    h, wide, heads = config["hidden_size"], config["intermediate_size"], config["num_attention_heads"]
    head = config.get("head_dim", h // heads)
    q, kv = heads * head, config["num_key_value_heads"] * head
    yield "token_embd.weight", (config["vocab_size"], h)
    for number in range(config["num_hidden_layers"]):
        at = f"blk.{number}"
        yield f"{at}.attn_norm.weight", (h,)
        yield f"{at}.attn_q.weight", (q, h)
        yield f"{at}.attn_k.weight", (kv, h)
        yield f"{at}.attn_v.weight", (kv, h)
        yield f"{at}.attn_output.weight", (h, q)
        yield f"{at}.ffn_norm.weight", (h,)
        if experts := config.get("num_experts"):
            wide = config["moe_intermediate_size"]
            yield f"{at}.ffn_gate_inp.weight", (experts, h)
            for part, shape in (("gate", (wide, h)), ("up", (wide, h)), ("down", (h, wide))):
                yield f"{at}.ffn_{part}_exps.weight", (experts, *shape)
        else:
            for part, shape in (("gate", (wide, h)), ("up", (wide, h)), ("down", (h, wide))):
                yield f"{at}.ffn_{part}.weight", shape
    yield "output_norm.weight", (h,)
    if not config.get("tie_word_embeddings"):
        yield "output.weight", (config["vocab_size"], h)
