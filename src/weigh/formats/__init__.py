"""Meaning upon encodings: one file a format, asked in the order of FORMATS, by content alone."""

from __future__ import annotations

from weigh.core.format import FolderFormat, Format
from weigh.core.source import Source
from weigh.formats import (
    catboost,
    flax_msgpack,
    gguf,
    hdf5,
    huggingface,
    joblib,
    keras,
    keras_h5,
    lfs_pointer,
    lightgbm,
    npy,
    pickle_stream,
    plain,
    pytorch,
    pytorch_legacy,
    safetensors,
    skops,
    tokenizers,
    unknown,
    xgboost,
)

# The order is part of the meaning: a pointer is also text, a page may begin like anything.
FORMATS: tuple[Format, ...] = (
    lfs_pointer.FORMAT,
    gguf.FORMAT,
    safetensors.FORMAT,
    npy.FORMAT,
    keras.FORMAT,
    pytorch.SCRIPT,
    pytorch.FORMAT,
    pytorch_legacy.FORMAT,
    skops.FORMAT,
    npy.NPZ,
    keras_h5.FORMAT,
    hdf5.FORMAT,
    joblib.FORMAT,
    xgboost.FORMAT,
    lightgbm.FORMAT,
    catboost.FORMAT,
    flax_msgpack.FORMAT,
    tokenizers.FORMAT,
    tokenizers.TIKTOKEN,
    plain.HTML,
    plain.IMAGE,
    plain.PDF,
    plain.JSON,
    plain.JSONL,
    pickle_stream.FORMAT,
    plain.PYTHON,
    plain.CSV,
    plain.TEXT,
    unknown.FORMAT,
)
FOLDER_FORMATS: tuple[FolderFormat, ...] = (huggingface.FORMAT,)


def detect(source: Source) -> Format:
    """The first format whose content this is; `unknown` at the least. Raises SourceError."""
    return next(format for format in FORMATS if format.matches(source))


def of_name(name: str) -> Format:
    """The format with this identifier. Raises KeyError."""
    return {format.name: format for format in FORMATS}[name]
