"""Meaning upon encodings: one file a format, asked in the order of FORMATS, by content alone."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping, Sequence
from typing import overload

from weigh.codecs.pickle import is_pickle
from weigh.codecs.zip import read_directory
from weigh.core.errors import FormatError
from weigh.core.format import FolderFormat, Format
from weigh.core.source import Source

HEAD = 16  # bytes that BEGINNINGS look at
PROTO = b"\x80"
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
_JSON = (b"{", b" ", b"\t", b"\n", b"\v", b"\f", b"\r")
# How all files of some formats begin, and where: another beginning spares loading the module.
BEGINNINGS: Mapping[str, tuple[int, tuple[bytes, ...]]] = {
    "catboost.FORMAT": (0, (b"CBM1",)),
    "executorch.FORMAT": (4, (b"ET", b"FT")),
    "flax_msgpack.FORMAT": (0, tuple(bytes([first]) for first in (*range(0x81, 0x90), 0xDE, 0xDF))),
    "ggml.FORMAT": (0, (b"lmgg", b"fmgg", b"tjgg", b"algg", b"nsgg", b"ggml", b"ggmf", b"ggjt", b"ggla")),
    "gguf.FORMAT": (0, (b"GGUF",)),
    "joblib.FORMAT": (0, (b"\x80", b"x", b"\x1f", b"B", b"\xfd", b"]", b"\x04", b"Z")),
    "keras.FORMAT": (0, (b"PK",)),
    "lfs_pointer.FORMAT": (0, (b"version ",)),
    "lightgbm.FORMAT": (0, (b"tree",)),
    "ncnn.FORMAT": (0, (b"7767517", b"\xdd")),
    "ncnn_weights.FORMAT": (0, (b"\0", b"G", b"8", b"V")),
    "npy.FORMAT": (0, (b"\x93NUMPY",)),
    "npy.NPZ": (0, (b"PK",)),
    "onnx.TENSOR_FORMAT": (0, (b"\x08", b"\x0a", b"\x10")),
    "openvino.FORMAT": (0, (b"<", b" ", b"\t", b"\n", b"\r", b"\xef", b"\xbb", b"\xbf")),
    "ort.FORMAT": (4, (b"ORTM",)),
    "paddle.FORMAT": (0, (b"{", b"\x0a", b"\0")),
    "parquet.FORMAT": (0, (b"PAR",)),
    "pytorch_export.FORMAT": (0, (b"PK",)),
    "pytorch_legacy.FORMAT": (0, (b"\x80", b"L", b"I")),
    "safetensors.FORMAT": (8, (b'{"', b"{}", b"{ ", b"{\n")),
    "sentencepiece.FORMAT": (0, (b"\x0a",)),
    "sevenzip.FORMAT": (0, (b"7z",)),
    "skops.FORMAT": (0, (b"PK",)),
    "tfjs.FORMAT": (0, _JSON),
    "tflite.FORMAT": (4, (b"TFL", b"CIR")),
    "tokenizers.FORMAT": (0, _JSON),
    "torchscript_json.FORMAT": (0, (b"PK",)),
    "zip_archive.FORMAT": (0, (b"PK",)),
}
# Text, messages of protobuf and streams of some codecs: none begins with the byte that pickles begin with.
NEVER_PROTO = frozenset(
    {
        "caffe.FORMAT", "compressed.BZIP2", "compressed.GZIP", "compressed.XZ", "compressed.ZLIB", "csv_table.FORMAT",
        "json_document.FORMAT", "jsonl.FORMAT", "link_text.FORMAT", "mxnet.FORMAT", "onnx.FORMAT", "plain.HTML",
        "plain.IMAGE", "plain.PDF", "tf_graphdef.FORMAT", "tf_graphdef.META", "tf_savedmodel.FORMAT",
        "tokenizers.TIKTOKEN",
    }
)  # fmt: skip
YIELDING = frozenset(  # none of these where a pickle begins: who loads it runs that
    {
        "coreml.FORMAT", "hdf5.FORMAT", "keras_h5.FORMAT", "pytorch.FORMAT", "pytorch.SCRIPT", "tf_checkpoint.FORMAT",
        "unknown.CLOSED_FORMAT",
    }
)  # fmt: skip
# Of archives: what the names of members end in, one of them at least.
MEMBERS: Mapping[str, tuple[str, ...]] = {
    "keras.FORMAT": ("config.json",),
    "pytorch_export.FORMAT": ("archive_format", "serialized_exported_program.json"),
    "skops.FORMAT": ("schema.json",),
    "torchscript_json.FORMAT": ("model.json",),
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
    asked = (_file_format(place) for _, place in PLACES if may_be(place, source))
    ours = next(format for format in asked if format.matches(source))
    if ours.name != "unknown":
        return ours
    return next((format for format in own if format.matches(source)), ours)


def may_be(place: str, source: Source) -> bool:
    """Is it worth asking the format at this place? Its module is not loaded. Raises SourceError."""
    head = source.read(0, HEAD)
    offset, beginnings = BEGINNINGS.get(place, (0, (b"",)))
    if not head.startswith(beginnings, offset):
        return False
    if head[:1] == PROTO and (place in NEVER_PROTO or (place in YIELDING and is_pickle(source))):
        return False
    try:
        return place not in MEMBERS or any(one.name.endswith(MEMBERS[place]) for one in read_directory(source).members)
    except FormatError:
        return False


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
