"""Vocabularies from tokenizers and tiktoken: `python -m tools.samples.tokenizers OUT`, a folder for each format."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from tools.samples.oracles import main, note

TEXT = ["the cat sat on the mat", "the dog sat on the log"] * 4


def write(folder: Path) -> None:
    """Every sample and its oracle."""
    tables, ranks = folder / "tokenizer-json", folder / "tiktoken"
    tables.mkdir(parents=True, exist_ok=True)
    ranks.mkdir(parents=True, exist_ok=True)
    for name, tokenizer in trained().items():
        path = tables / f"{name}.json"
        tokenizer.save(str(path))
        said = {
            "model": type(tokenizer.model).__name__,
            "vocab_size": tokenizer.get_vocab_size(with_added_tokens=False),
        }
        note(path, "tokenizer-json", metadata=said)
    by_tiktoken(ranks / "letters.tiktoken")


def trained() -> dict[str, Any]:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    found = {}
    for name, model, trainer in (
        ("bpe", models.BPE(), trainers.BpeTrainer(vocab_size=60, special_tokens=["<s>"], show_progress=False)),
        ("wordpiece", models.WordPiece(), trainers.WordPieceTrainer(vocab_size=60, show_progress=False)),
        ("unigram", models.Unigram(), trainers.UnigramTrainer(vocab_size=60, show_progress=False)),
    ):
        tokenizer = Tokenizer(model)
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer.train_from_iterator(TEXT, trainer)
        found[name] = tokenizer
    return found


def by_tiktoken(path: Path) -> None:
    """Lines as dump_tiktoken_bpe writes them, which wants a further library for it; read back by tiktoken."""
    from tiktoken.load import load_tiktoken_bpe

    tokens = {bytes([byte]): byte for byte in range(256)} | {b"th": 256, b"the": 257}
    path.write_bytes(b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in tokens.items()))
    note(path, "tiktoken", metadata={"vocab_size": len(load_tiktoken_bpe(str(path)))})


if __name__ == "__main__":
    main(write)
