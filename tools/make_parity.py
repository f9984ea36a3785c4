"""What an engine's answers may differ by from its library called directly: rows that tests hold and a page shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from weigh.core.work import Work
from weigh.text import Language, say


class Row(NamedTuple):
    """`what` is compared, value by value; no value is further from `library`'s own than `most`. 0 is to the letter."""

    engine: str
    work: Work
    library: str
    what: str
    most: float


ROWS = (
    Row("llama.cpp", "chat", "transformers", "text", 0),
    Row("llama.cpp", "complete", "transformers", "likelihoods", 1e-3),
    Row("llama.cpp", "embed", "transformers", "vectors", 1e-3),
    Row("llama.cpp", "rerank", "transformers", "scores", 1e-3),
    Row("sentence-transformers", "embed", "sentence-transformers", "vectors", 1e-6),
    Row("sentence-transformers", "rerank", "sentence-transformers", "scores", 1e-6),
    Row("diffusers", "image", "diffusers", "pixels", 0),
    Row("diffusers", "video", "diffusers", "frames", 0.05),
    Row("diffusers", "sound", "diffusers", "samples", 4e-5),
    Row("faster-whisper", "transcribe", "faster-whisper", "transcript", 0),
    Row("transformers", "chat", "transformers", "text", 0),
    Row("transformers", "complete", "transformers", "likelihoods", 1e-5),
    Row("transformers", "embed", "transformers", "vectors", 1e-6),
    Row("transformers", "classify", "transformers", "scores", 1e-6),
    Row("transformers", "detect", "transformers", "boxes", 1e-4),
    Row("transformers", "depth", "transformers", "depth", 2e-5),
    Row("transformers", "transcribe", "transformers", "transcript", 0),
    Row("transformers", "speak", "transformers", "samples", 4e-5),
    Row("transformers", "sound", "transformers", "samples", 4e-5),
    Row("onnxruntime", "chat", "transformers", "text", 0),
    Row("onnxruntime", "complete", "transformers", "likelihoods", 1e-4),
    Row("onnxruntime", "embed", "sentence-transformers", "vectors", 1e-5),
    Row("onnxruntime", "rerank", "sentence-transformers", "scores", 1e-5),
    Row("onnxruntime", "classify", "transformers", "scores", 1e-5),
    Row("onnxruntime", "compute", "onnxruntime", "arrays", 0),
    Row("torchscript", "compute", "torch", "arrays", 0),
)


def parity(language: Language) -> Iterator[str]:
    """A table, a row a work of an engine."""
    heads = [say(f"docs_column.{key}", language) for key in ("engine", "work", "library", "compared", "most")]
    yield "| " + " | ".join(heads) + " |"
    yield "|---|---|---|---|---|"
    for row in ROWS:
        most = f"{row.most:g}" if row.most else say("parity.equal", language)
        yield f"| {row.engine} | `{row.work}` | {row.library} | {say(f'parity.what.{row.what}', language)} | {most} |"
