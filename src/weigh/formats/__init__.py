"""Meaning upon encodings: one file a format, asked in the order of FORMATS, by content alone."""

from __future__ import annotations

from weigh.core.format import FolderFormat, Format
from weigh.core.source import Source
from weigh.formats import (
    caffe,
    coreml,
    gguf,
    huggingface,
    lfs_pointer,
    mxnet,
    ncnn,
    onnx,
    openvino,
    paddle,
    pickle_stream,
    plain,
    pytorch,
    pytorch_legacy,
    rknn,
    safetensors,
    sentencepiece,
    tensorrt,
    tf_checkpoint,
    tf_graphdef,
    tf_savedmodel,
    tfjs,
    unknown,
)

# The order is part of the meaning: a pointer is also text, a page may begin like anything.
FORMATS: tuple[Format, ...] = (
    lfs_pointer.FORMAT,
    gguf.FORMAT,
    safetensors.FORMAT,
    pytorch.SCRIPT,
    pytorch.FORMAT,
    pytorch_legacy.FORMAT,
    tensorrt.FORMAT,
    rknn.FORMAT,
    openvino.FORMAT,
    ncnn.FORMAT,
    plain.HTML,
    plain.IMAGE,
    plain.PDF,
    tfjs.FORMAT,
    paddle.FORMAT,
    mxnet.FORMAT,
    plain.JSON,
    plain.JSONL,
    onnx.FORMAT,
    onnx.TENSOR_FORMAT,
    tf_checkpoint.FORMAT,
    tf_savedmodel.FORMAT,
    tf_graphdef.META,
    tf_graphdef.FORMAT,
    coreml.FORMAT,
    sentencepiece.FORMAT,
    caffe.FORMAT,
    pickle_stream.FORMAT,
    plain.PYTHON,
    plain.CSV,
    plain.TEXT,
    unknown.FORMAT,
)
FOLDER_FORMATS: tuple[FolderFormat, ...] = (coreml.PACKAGE, tf_savedmodel.FOLDER, huggingface.FORMAT)


def detect(source: Source) -> Format:
    """The first format whose content this is; `unknown` at the least. Raises SourceError."""
    return next(format for format in FORMATS if format.matches(source))


def of_name(name: str) -> Format:
    """The format with this identifier. Raises KeyError."""
    return {format.name: format for format in FORMATS}[name]
