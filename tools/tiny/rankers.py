"""A reranker of random weights in the form of Qwen3's: a GGUF file that says yes or no, and the network it is of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.tiny.text import add_vocabulary, byte_pairs

LAYOUT = "<|im_start|>user\nquery {query} document {document}<|im_end|>\n<|im_start|>assistant\n"


def write(folder: Path) -> None:
    """`ranker-F32.gguf`, and `network` with the weights of the answers as `answers.npy`, yes before no."""
    import numpy
    import torch
    from transformers import Qwen3Config, Qwen3Model

    torch.manual_seed(0)
    tokenizer = byte_pairs()
    config = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=16, max_position_embeddings=256, initializer_range=0.05,
    )  # fmt: skip
    model = Qwen3Model(config).eval()
    answers = torch.randn(2, 64)
    model.save_pretrained(folder / "network")
    tokenizer.save_pretrained(folder / "network")
    numpy.save(folder / "network" / "answers.npy", answers.numpy())
    _gguf(model, tokenizer, answers.numpy(), folder / "ranker-F32.gguf")


def _gguf(model: Any, tokenizer: Any, answers: Any, path: Path) -> None:
    import gguf

    config = model.config
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(256)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_pooling_type(gguf.PoolingType.RANK)
    writer.add_classifier_output_labels(["yes", "no"])
    add_vocabulary(writer, tokenizer)
    writer.add_string("tokenizer.chat_template.rerank", LAYOUT)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN3, config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        written = names.get_name(f"model.{name}", try_suffixes=(".weight",))
        assert written is not None, name
        writer.add_tensor(written, tensor.float().numpy())
    writer.add_tensor("output.weight", model.state_dict()["embed_tokens.weight"].numpy())
    writer.add_tensor("cls.output.weight", answers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
