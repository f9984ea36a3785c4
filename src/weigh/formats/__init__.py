"""Meaning upon encodings: one file a format, asked in the order of FORMATS, by content alone."""

from __future__ import annotations

from weigh.core.format import FolderFormat, Format
from weigh.core.source import Source
from weigh.formats import (
    diffusers,
    executorch,
    ggml,
    gguf,
    huggingface,
    lfs_pointer,
    mnn,
    ort,
    pickle_stream,
    plain,
    pytorch,
    pytorch_export,
    pytorch_legacy,
    pytorch_tar,
    safetensors,
    tflite,
    torchscript_json,
    unknown,
)

# The order is part of the meaning: a pointer is also text, a page may begin like anything.
FORMATS: tuple[Format, ...] = (
    lfs_pointer.FORMAT,
    gguf.FORMAT,
    ggml.FORMAT,
    safetensors.FORMAT,
    tflite.FORMAT,  # may have a zip behind it
    executorch.FORMAT,
    ort.FORMAT,
    pytorch_export.FORMAT,
    torchscript_json.FORMAT,
    pytorch.SCRIPT,
    pytorch.FORMAT,
    pytorch_legacy.FORMAT,
    pytorch_tar.FORMAT,
    plain.HTML,
    plain.IMAGE,
    plain.PDF,
    plain.JSON,
    plain.JSONL,
    pickle_stream.FORMAT,
    plain.PYTHON,
    plain.CSV,
    plain.TEXT,
    mnn.FORMAT,  # nothing but the shape of its root says so
    unknown.FORMAT,
)
FOLDER_FORMATS: tuple[FolderFormat, ...] = (diffusers.FORMAT, huggingface.FORMAT)


def detect(source: Source) -> Format:
    """The first format whose content this is; `unknown` at the least. Raises SourceError."""
    return next(format for format in FORMATS if format.matches(source))


def of_name(name: str) -> Format:
    """The format with this identifier. Raises KeyError."""
    return {format.name: format for format in FORMATS}[name]
