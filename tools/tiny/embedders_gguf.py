"""The sentence embedder of random weights as llama.cpp takes it: a BERT in a GGUF file."""

from __future__ import annotations

import json
from pathlib import Path

_SPECIAL = {"[PAD]", "[UNK]", "[CLS]", "[SEP]"}


def write(folder: Path, *, embedders: Path) -> None:
    """`embedder-F32.gguf`, of the weights that lie in `embedders/bert`."""
    import gguf
    from safetensors.numpy import load_file

    source = embedders / "bert"
    config = json.loads((source / "config.json").read_text())
    writer = gguf.GGUFWriter(folder / "embedder-F32.gguf", "bert")
    writer.add_name("embedder")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _vocabulary(writer, source, config["type_vocab_size"])
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config["num_hidden_layers"])
    for name, weights in load_file(source / "model.safetensors").items():
        if (written := names.get_name(name, try_suffixes=(".weight", ".bias"))) is not None:
            writer.add_tensor(written, weights.astype("float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _vocabulary(writer: object, source: Path, kinds: int) -> None:
    """WordPiece, as llama.cpp keeps it: what begins a word has a mark before it."""
    import gguf

    assert isinstance(writer, gguf.GGUFWriter)
    told = json.loads((source / "tokenizer.json").read_text())["model"]["vocab"]
    tokens = sorted(told, key=told.get)
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([token if token in _SPECIAL else f"▁{token}" for token in tokens])
    writer.add_token_types([control if token in _SPECIAL else normal for token in tokens])
    writer.add_token_type_count(kinds)
    writer.add_pad_token_id(told["[PAD]"])
    writer.add_unk_token_id(told["[UNK]"])
    writer.add_bos_token_id(told["[CLS]"])
    writer.add_sep_token_id(told["[SEP]"])
    writer.add_eos_token_id(told["[SEP]"])
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(True)
