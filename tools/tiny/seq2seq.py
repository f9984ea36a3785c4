"""A T5 of random weights, which reads one text and writes another."""

from __future__ import annotations

from pathlib import Path

from tools.tiny.drawn import t5_tokenizer


def write(folder: Path) -> None:
    """`t5`, as transformers saves it."""
    import torch
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    tokenizer = t5_tokenizer()
    assert isinstance(tokenizer, PreTrainedTokenizerFast)
    config = T5Config(
        vocab_size=len(tokenizer), d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, decoder_start_token_id=0,
        pad_token_id=0, eos_token_id=1, initializer_factor=2.0, tie_word_embeddings=False,
    )  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(folder / "t5")
    tokenizer.save_pretrained(folder / "t5")
