"""Engines that run models, the first that suits first; each is loaded when its turn comes."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from weigh.core.engine import Engine

PLACES: tuple[str, ...] = (
    "weigh.engines.echo",
    "weigh.engines.xllamacpp",
    "weigh.engines.sentence_transformers",
    "weigh.engines.diffusers",
    "weigh.engines.faster_whisper",
    "weigh.engines.transformers",
    "weigh.engines.onnxruntime",
    "weigh.engines.openvino",
    "weigh.engines.litert",
    "weigh.engines.keras",
    "weigh.engines.tensorflow",
    "weigh.engines.torchscript",
    "weigh.engines.llama_server",
    "weigh.engines.vllm",
    "weigh.engines.sglang",
    "weigh.engines.ollama",
)


def engines() -> Iterator[Engine]:
    """In the order in which they are asked."""
    for place in PLACES:
        engine = importlib.import_module(place).ENGINE
        assert isinstance(engine, Engine)
        yield engine
