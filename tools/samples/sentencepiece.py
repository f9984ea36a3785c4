"""Tokenizers made with sentencepiece 0.2.3: `python -m tools.samples.sentencepiece OUT`."""

from __future__ import annotations

import io
from pathlib import Path

import sentencepiece

from tools.samples.oracles import main, note


def write(folder: Path) -> None:
    """One of each kind of model."""
    lines = [f"the quick brown fox {number} jumps over the lazy dog" for number in range(40)]
    for kind in ("unigram", "bpe", "char"):
        held = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_writer=held,
            vocab_size=44,
            model_type=kind,
            hard_vocab_limit=False,
            normalization_rule_name="identity",
        )
        path = folder / f"{kind}.model"
        path.write_bytes(held.getvalue())
        read = sentencepiece.SentencePieceProcessor(model_proto=held.getvalue())
        first = [read.id_to_piece(number) for number in range(16)]
        note(path, "sentencepiece", pieces=read.vocab_size(), first=first, model_type=kind)


if __name__ == "__main__":
    main(write)
