"""Meaning upon encodings: one file a format, asked in the order of FORMATS, by content alone."""

from __future__ import annotations

from weigh.core.format import FolderFormat, Format
from weigh.core.source import Source
from weigh.formats import (
    compressed,
    csv_table,
    gguf,
    huggingface,
    json_document,
    jsonl,
    lfs_pointer,
    link_text,
    other,
    parquet,
    pickle_stream,
    plain,
    pytorch,
    pytorch_legacy,
    safetensors,
    sevenzip,
    tar,
    unknown,
    zip_archive,
)

# The order is part of the meaning: a pointer is also text, a page may begin like anything.
FORMATS: tuple[Format, ...] = (
    lfs_pointer.FORMAT,
    gguf.FORMAT,
    safetensors.FORMAT,
    pytorch.SCRIPT,
    pytorch.FORMAT,
    pytorch_legacy.FORMAT,
    zip_archive.FORMAT,
    sevenzip.FORMAT,
    *compressed.FORMATS,
    tar.FORMAT,
    parquet.FORMAT,
    link_text.FORMAT,
    unknown.CLOSED_FORMAT,
    plain.HTML,
    plain.IMAGE,
    plain.PDF,
    jsonl.FORMAT,
    json_document.FORMAT,
    pickle_stream.FORMAT,
    plain.PYTHON,
    csv_table.FORMAT,
    plain.TEXT,
    other.FORMAT,
    unknown.FORMAT,
)
FOLDER_FORMATS: tuple[FolderFormat, ...] = (huggingface.FORMAT,)


def detect(source: Source, own: tuple[Format, ...] = ()) -> Format:
    """The first format whose content this is; of `own`, asked where none of ours is it; else `unknown`.

    Raises SourceError.
    """
    ours = next(format for format in FORMATS if format.matches(source))
    if ours.name != unknown.FORMAT.name:
        return ours
    return next((format for format in own if format.matches(source)), ours)


def of_name(name: str) -> Format:
    """The format with this identifier. Raises KeyError."""
    return {format.name: format for format in FORMATS}[name]
