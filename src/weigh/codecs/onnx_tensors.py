"""ONNX's TensorProto as a TensorInfo: where its numbers lie, in the file or outside.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from weigh.codecs.external_path import leaves
from weigh.codecs.protobuf import Message
from weigh.codecs.protobuf_shape import Kind
from weigh.core.errors import Malformed
from weigh.core.header import Problem
from weigh.core.saying import Saying
from weigh.core.tensors import TensorInfo
from weigh.knowledge.dtypes import dtypes
from weigh.knowledge.element_types import dtype_name

MOST_DIMENSIONS = 64
MOST_ELEMENTS = 1 << 63

TENSOR: Mapping[int, Kind] = {
    1: "varints",  # dims
    2: "varint",  # data_type
    3: "message",  # segment
    4: "floats",  # float_data
    5: "varints",  # int32_data
    6: "bytes",  # string_data
    7: "varints",  # int64_data
    8: "text",  # name
    9: "bytes",  # raw_data
    10: "doubles",  # double_data
    11: "varints",  # uint64_data
    12: "bytes",  # doc_string
    13: "message",  # external_data
    14: "varint",  # data_location
    16: "message",  # metadata_props
}
DATA = (9, 4, 5, 6, 7, 10, 11)
_HALVES = ("F16", "BF16", "F8_E4M3", "F8_E4M3FNUZ", "F8_E5M2", "F8_E5M2FNUZ", "F8_E8M0", "F6_E2M3", "F6_E3M2", "F4")
_TYPED: Mapping[int, tuple[str, ...]] = {
    4: ("F32", "C64"),
    5: ("I32", "I16", "I8", "U16", "U8", "BOOL", "U4", "I4", "U2", "I2", *_HALVES),
    6: ("STRING",),
    7: ("I64",),
    10: ("F64", "C128"),
    11: ("U32", "U64"),
}
_LONGEST_VARINT = 10
_RAW, _EXTERNAL = 9, 1


def tensor_info(tensor: Message, name: str) -> TensorInfo:
    """Its name, dtype, shape, and the bytes its numbers take as stored. Raises Malformed for a shape that cannot be."""
    shape = tuple(tensor.wholes(1))
    dtype = dtype_name("onnx", tensor.unsigned(2) or 0)
    if len(shape) > MOST_DIMENSIONS or any(length < 0 for length in shape) or math.prod(shape) >= MOST_ELEMENTS:
        raise Malformed("tensor_shape", path=tensor.wire.source.path, offset=tensor.span[0], name=name)
    if is_external(tensor):
        external = external_data(tensor)
        length = _number(external.get("length"))
        return TensorInfo(
            name=name,
            dtype=dtype,
            shape=shape,
            nbytes=length if length is not None else _needed(dtype, shape),
            offset=_number(external.get("offset")) or 0,
            storage=external.get("location", ""),
        )
    places = [place for number in DATA if number in tensor and (place := tensor.stored(number)) is not None]
    offset, nbytes = places[0] if places else (None, 0)
    return TensorInfo(name=name, dtype=dtype, shape=shape, nbytes=nbytes, offset=offset)


def tensor_problems(tensor: Message, info: TensorInfo) -> Iterator[Problem]:
    """An unknown type, bytes that do not fill the shape, a place outside the folder."""
    at = tensor.span[0]
    if info.dtype not in dtypes():
        detail = Saying("problem.onnx.type", name=info.name, type=tensor.unsigned(2) or 0)
        yield Problem(kind="unknown-type", detail=detail, offset=at)
    if is_external(tensor):
        if not info.storage or leaves(info.storage):
            detail = Saying("problem.external_path", name=info.name, location=info.storage or "")
            yield Problem(kind="malformed", detail=detail, offset=at)
        return
    needed = _needed(info.dtype, info.shape)
    if needed is not None and _RAW in tensor and info.nbytes != needed:
        detail = Saying("problem.span", name=info.name, nbytes=info.nbytes or 0, needed=needed)
        yield Problem(kind="malformed", detail=detail, offset=info.offset)


def fills(tensor: Message, info: TensorInfo) -> bool:
    """Do its numbers stand in one field, the one for its type, and are there as many as its shape wants?"""
    held = [number for number in DATA if number in tensor]
    known = dtypes().get(info.dtype)
    if known is None or len(held) != 1:
        return not held and known is not None and is_external(tensor) and 13 in tensor
    nbytes, elements, needed = info.nbytes or 0, info.num_elements, _needed(info.dtype, info.shape)
    if held == [6]:
        return info.dtype == "STRING" and len(tensor.spans(6)) == elements
    if held == [_RAW]:
        return nbytes == needed
    if info.dtype not in _TYPED[held[0]]:
        return False
    return (
        nbytes == needed if held[0] in (4, 10) else -(-elements // known.block) <= nbytes <= elements * _LONGEST_VARINT
    )


def is_external(tensor: Message) -> bool:
    """Are its numbers in another file?"""
    return tensor.unsigned(14) == _EXTERNAL


def external_data(tensor: Message) -> dict[str, str]:
    """Where: `location`, `offset`, `length`."""
    return {entry.text(1) or "": entry.text(2) or "" for entry in tensor.messages(13)}


def _needed(dtype: str, shape: tuple[int, ...]) -> int | None:
    known = dtypes().get(dtype)
    return known.nbytes(math.prod(shape)) if known is not None and known.kind != "other" else None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 20 else None
