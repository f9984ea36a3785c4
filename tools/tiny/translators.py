"""An encoder with a decoder, of random weights: T5, as transformers saves it."""

from __future__ import annotations

from pathlib import Path

from tools.tiny.drawn import t5_tokenizer


def write(folder: Path) -> None:
    """`t5`."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    config = T5Config(
        vocab_size=32, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0,
        eos_token_id=1, pad_token_id=0, initializer_factor=5.0,
    )  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(folder / "t5")
    t5_tokenizer().save_pretrained(folder / "t5")  # type: ignore[attr-defined]
