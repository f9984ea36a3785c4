"""A Qwen2-VL of random weights as llama.cpp takes it: the language model, and the projector in a file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.tiny.pictured import qwen
from tools.tiny.text import add_vocabulary

if TYPE_CHECKING:
    from gguf import GGUFWriter
    from transformers import Qwen2VLForConditionalGeneration

CONTEXT = 256
_EYES = "model.visual."
_NAMES = {"norm1": "ln1", "norm2": "ln2", "attn.proj": "attn_out", "mlp.fc1": "ffn_up", "mlp.fc2": "ffn_down"}


def write(folder: Path) -> None:
    """`repository`, `model-F32.gguf` and `mmproj-F32.gguf`."""
    import torch
    from transformers import AutoTokenizer

    torch.manual_seed(0)
    model = qwen(folder / "repository")
    _language(model, AutoTokenizer.from_pretrained(folder / "repository"), folder / "model-F32.gguf")
    _projector(model, folder / "mmproj-F32.gguf")


def _language(model: Qwen2VLForConditionalGeneration, tokenizer: Any, path: Path) -> None:
    import gguf

    config = model.config.get_text_config()
    writer = gguf.GGUFWriter(path, "qwen2vl")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_sections([*config.rope_parameters["mrope_section"], 0])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    add_vocabulary(writer, tokenizer)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN2VL, config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        if not name.startswith(_EYES):
            plain = name.replace("model.language_model.", "model.")
            written = names.get_name(plain, try_suffixes=(".weight", ".bias"))
            assert written is not None, name
            writer.add_tensor(written, tensor.float().numpy())
    _close(writer)


def _projector(model: Qwen2VLForConditionalGeneration, path: Path) -> None:
    import gguf

    config = model.config.vision_config
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", "qwen2vl_merger")
    for key, value in {
        "image_size": 112,
        "patch_size": config.patch_size,
        "embedding_length": config.embed_dim,
        "feed_forward_length": config.embed_dim * config.mlp_ratio,
        "block_count": config.depth,
        "attention.head_count": config.num_heads,
        "projection_dim": config.hidden_size,
    }.items():
        writer.add_uint32(f"clip.vision.{key}", int(value))
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-6)
    writer.add_array("clip.vision.image_mean", [0.48145466, 0.4578275, 0.40821073])
    writer.add_array("clip.vision.image_std", [0.26862954, 0.26130258, 0.27577711])
    for name, tensor in model.state_dict().items():
        if name.startswith(_EYES):
            for written, part in _eyes(name.removeprefix(_EYES), tensor.float().numpy()):
                writer.add_tensor(written, part)
    _close(writer)


def _eyes(name: str, values: Any) -> Iterator[tuple[str, Any]]:
    """Under llama.cpp's names; queries, keys and values apart, and the kernel of each of two frames."""
    import numpy

    end = name.rpartition(".")[2]
    if name == "patch_embed.proj.weight":
        yield "v.patch_embd.weight", numpy.ascontiguousarray(values[:, :, 0])
        yield "v.patch_embd.weight.1", numpy.ascontiguousarray(values[:, :, 1])
    elif name.startswith("merger."):
        yield {"ln_q": "v.post_ln", "mlp.0": "mm.0", "mlp.2": "mm.2"}[name[7:].rpartition(".")[0]] + f".{end}", values
    else:
        _, number, part = name.split(".", 2)
        stem = f"v.blk.{number}."
        if part.startswith("attn.qkv"):
            for letter, third in zip("qkv", numpy.split(values, 3), strict=True):
                yield f"{stem}attn_{letter}.{end}", numpy.ascontiguousarray(third)
        else:
            yield f"{stem}{_NAMES[part.rpartition('.')[0]]}.{end}", values


def _close(writer: GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
