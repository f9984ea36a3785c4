"""Meaning upon encodings: one file a format, asked in the order of FORMATS, by content alone."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Mapping, Sequence
from typing import overload

from weigh.core.format import FolderFormat, Format
from weigh.core.source import Source

HEAD = 16  # bytes that BEGINNINGS look at
# An identifier and where its Format is; a module is loaded when its turn comes: most files are known by the first few.
# The order is part of the meaning: what is known by a name inside an archive comes before the archive, a pointer is
# also text, a page may begin like anything, and what is told by shape alone comes after what has a magic.
PLACES: tuple[tuple[str, str], ...] = (
    ("git-lfs-pointer", "lfs_pointer.FORMAT"),
    ("gguf", "gguf.FORMAT"),
    ("ggml", "ggml.FORMAT"),
    ("safetensors", "safetensors.FORMAT"),
    ("tflite", "tflite.FORMAT"),  # may have a zip behind it
    ("executorch", "executorch.FORMAT"),
    ("onnx", "ort.FORMAT"),
    ("npy", "npy.FORMAT"),
    ("keras", "keras.FORMAT"),
    ("pytorch-export", "pytorch_export.FORMAT"),
    ("torchscript", "torchscript_json.FORMAT"),
    ("torchscript", "pytorch.SCRIPT"),
    ("pytorch", "pytorch.FORMAT"),
    ("pytorch-legacy", "pytorch_legacy.FORMAT"),
    ("skops", "skops.FORMAT"),
    ("npz", "npy.NPZ"),
    ("keras-h5", "keras_h5.FORMAT"),
    ("hdf5", "hdf5.FORMAT"),
    ("joblib", "joblib.FORMAT"),
    ("pytorch-tar", "pytorch_tar.FORMAT"),
    ("zip", "zip_archive.FORMAT"),
    ("7z", "sevenzip.FORMAT"),
    ("gzip", "compressed.GZIP"),
    ("bzip2", "compressed.BZIP2"),
    ("xz", "compressed.XZ"),
    ("zstd", "compressed.ZSTD"),
    ("lz4", "compressed.LZ4"),
    ("lzma", "compressed.LZMA"),
    ("zlib", "compressed.ZLIB"),
    ("tar", "tar.FORMAT"),
    ("parquet", "parquet.FORMAT"),
    ("link-text", "link_text.FORMAT"),
    ("tensorrt", "tensorrt.FORMAT"),
    ("rknn", "rknn.FORMAT"),
    ("openvino", "openvino.FORMAT"),
    ("ncnn", "ncnn_weights.FORMAT"),
    ("ncnn", "ncnn.FORMAT"),
    ("xgboost", "xgboost.FORMAT"),
    ("lightgbm", "lightgbm.FORMAT"),
    ("catboost", "catboost.FORMAT"),
    ("flax-msgpack", "flax_msgpack.FORMAT"),
    ("tokenizer-json", "tokenizers.FORMAT"),
    ("tiktoken", "tokenizers.TIKTOKEN"),
    ("unknown", "unknown.CLOSED_FORMAT"),
    ("html", "plain.HTML"),
    ("image", "plain.IMAGE"),
    ("pdf", "plain.PDF"),
    ("tfjs", "tfjs.FORMAT"),
    ("paddle", "paddle.FORMAT"),
    ("mxnet", "mxnet.FORMAT"),
    ("onnx", "onnx.FORMAT"),
    ("onnx-tensor", "onnx.TENSOR_FORMAT"),
    ("tf-checkpoint", "tf_checkpoint.FORMAT"),
    ("tf-savedmodel", "tf_savedmodel.FORMAT"),
    ("tf-metagraph", "tf_graphdef.META"),
    ("tf-graphdef", "tf_graphdef.FORMAT"),
    ("coreml", "coreml.FORMAT"),
    ("sentencepiece", "sentencepiece.FORMAT"),
    ("caffe", "caffe.FORMAT"),
    ("jsonl", "jsonl.FORMAT"),
    ("json", "json_document.FORMAT"),
    ("pickle", "pickle_stream.FORMAT"),
    ("python", "plain.PYTHON"),
    ("csv", "csv_table.FORMAT"),
    ("text", "plain.TEXT"),
    ("mnn", "mnn.FORMAT"),  # nothing but the shape of its root says so
    ("other", "other.FORMAT"),
    ("unknown", "unknown.FORMAT"),
)
# How files of some formats begin, all of them: another beginning spares loading the module.
BEGINNINGS: Mapping[str, re.Pattern[bytes]] = {
    place: re.compile(pattern, re.DOTALL)
    for place, pattern in (
        ("catboost.FORMAT", rb"CBM1"),
        ("executorch.FORMAT", rb".{4}(?:ET|FT)"),
        ("flax_msgpack.FORMAT", rb"[\x81-\x8f\xde\xdf]"),
        ("gguf.FORMAT", rb"GGUF"),
        ("joblib.FORMAT", rb"[\x80x\x1fB\xfd\]\x04Z]"),
        ("keras.FORMAT", rb"PK"),
        ("npy.FORMAT", rb"\x93NUMPY"),
        ("npy.NPZ", rb"PK"),
        ("ort.FORMAT", rb".{4}ORTM"),
        ("parquet.FORMAT", rb"PAR"),
        ("pytorch_export.FORMAT", rb"PK"),
        ("sevenzip.FORMAT", rb"7z"),
        ("skops.FORMAT", rb"PK"),
        ("tflite.FORMAT", rb".{4}(?:TFL|CIR)"),
        ("torchscript_json.FORMAT", rb"PK"),
    )
}
FOLDER_PLACES: tuple[tuple[str, str], ...] = (
    ("coreml-package", "coreml.PACKAGE"),
    ("tf-savedmodel", "tf_savedmodel.FOLDER"),
    ("diffusers", "diffusers.FORMAT"),
    ("huggingface", "huggingface.FORMAT"),
)


class Formats(Sequence[Format]):
    """The formats at these places, each loaded when it is asked for."""

    def __init__(self, places: tuple[tuple[str, str], ...]) -> None:
        self.places = places

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, index: int) -> Format: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Format]: ...

    def __getitem__(self, index: int | slice) -> Format | Sequence[Format]:
        if isinstance(index, slice):
            return Formats(self.places[index])
        return _file_format(self.places[index][1])


FORMATS = Formats(PLACES)


def folder_formats() -> tuple[FolderFormat, ...]:
    """The formats of whole folders, in the order in which they are asked."""
    found = tuple(_load(place) for _, place in FOLDER_PLACES)
    assert all(isinstance(format, FolderFormat) for format in found)
    return found  # type: ignore[return-value]


def detect(source: Source, own: tuple[Format, ...] = ()) -> Format:
    """The first format whose content this is; of `own`, asked where none of ours is it; else `unknown`.

    Raises SourceError.
    """
    head = source.read(0, HEAD)
    asked = (_file_format(place) for _, place in PLACES if place not in BEGINNINGS or BEGINNINGS[place].match(head))
    ours = next(format for format in asked if format.matches(source))
    if ours.name != "unknown":
        return ours
    return next((format for format in own if format.matches(source)), ours)


def of_name(name: str) -> Format:
    """The format with this identifier, the one asked last where several files share it. Raises KeyError."""
    return _file_format(dict(PLACES)[name])


@functools.cache
def _load(place: str) -> Format | FolderFormat:
    module, _, attribute = place.partition(".")
    found: Format | FolderFormat = getattr(importlib.import_module(f"weigh.formats.{module}"), attribute)
    return found


def _file_format(place: str) -> Format:
    found = _load(place)
    assert isinstance(found, Format)
    return found
