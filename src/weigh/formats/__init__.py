"""Meaning upon encodings: one file a format, asked in the order of FORMATS, by content alone."""

from __future__ import annotations

from weigh.core.format import FolderFormat, Format
from weigh.core.source import Source
from weigh.formats import (
    caffe,
    catboost,
    compressed,
    coreml,
    csv_table,
    diffusers,
    executorch,
    flax_msgpack,
    ggml,
    gguf,
    hdf5,
    huggingface,
    joblib,
    json_document,
    jsonl,
    keras,
    keras_h5,
    lfs_pointer,
    lightgbm,
    link_text,
    mnn,
    mxnet,
    ncnn,
    npy,
    onnx,
    openvino,
    ort,
    other,
    paddle,
    parquet,
    pickle_stream,
    plain,
    pytorch,
    pytorch_export,
    pytorch_legacy,
    pytorch_tar,
    rknn,
    safetensors,
    sentencepiece,
    sevenzip,
    skops,
    tar,
    tensorrt,
    tf_checkpoint,
    tf_graphdef,
    tf_savedmodel,
    tfjs,
    tflite,
    tokenizers,
    torchscript_json,
    unknown,
    xgboost,
    zip_archive,
)

# The order is part of the meaning: what is known by a name inside an archive comes before the archive, a pointer is
# also text, a page may begin like anything, and what is told by shape alone comes after what has a magic.
FORMATS: tuple[Format, ...] = (
    lfs_pointer.FORMAT,
    gguf.FORMAT,
    ggml.FORMAT,
    safetensors.FORMAT,
    tflite.FORMAT,  # may have a zip behind it
    executorch.FORMAT,
    ort.FORMAT,
    npy.FORMAT,
    keras.FORMAT,
    pytorch_export.FORMAT,
    torchscript_json.FORMAT,
    pytorch.SCRIPT,
    pytorch.FORMAT,
    pytorch_legacy.FORMAT,
    skops.FORMAT,
    npy.NPZ,
    keras_h5.FORMAT,
    hdf5.FORMAT,
    joblib.FORMAT,
    pytorch_tar.FORMAT,
    zip_archive.FORMAT,
    sevenzip.FORMAT,
    *compressed.FORMATS,
    tar.FORMAT,
    parquet.FORMAT,
    link_text.FORMAT,
    tensorrt.FORMAT,
    rknn.FORMAT,
    openvino.FORMAT,
    ncnn.FORMAT,
    xgboost.FORMAT,
    lightgbm.FORMAT,
    catboost.FORMAT,
    flax_msgpack.FORMAT,
    tokenizers.FORMAT,
    tokenizers.TIKTOKEN,
    unknown.CLOSED_FORMAT,
    plain.HTML,
    plain.IMAGE,
    plain.PDF,
    tfjs.FORMAT,
    paddle.FORMAT,
    mxnet.FORMAT,
    onnx.FORMAT,
    onnx.TENSOR_FORMAT,
    tf_checkpoint.FORMAT,
    tf_savedmodel.FORMAT,
    tf_graphdef.META,
    tf_graphdef.FORMAT,
    coreml.FORMAT,
    sentencepiece.FORMAT,
    caffe.FORMAT,
    jsonl.FORMAT,
    json_document.FORMAT,
    pickle_stream.FORMAT,
    plain.PYTHON,
    csv_table.FORMAT,
    plain.TEXT,
    mnn.FORMAT,  # nothing but the shape of its root says so
    other.FORMAT,
    unknown.FORMAT,
)
FOLDER_FORMATS: tuple[FolderFormat, ...] = (
    coreml.PACKAGE,
    tf_savedmodel.FOLDER,
    diffusers.FORMAT,
    huggingface.FORMAT,
)


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
