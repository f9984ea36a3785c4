"""ncnn: a network as lines of text or as numbers; its weights lie in a file of their own, without any mark.

The layout is that of https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure; PNNX writes the same lines.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice

from weigh.codecs.cursor import Cursor
from weigh.core.errors import Malformed, OverBudget, Truncated
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.knowledge.dtypes import dtypes

MAGIC = 7_767_517
MOST_LAYERS = 200_000
MOST_BYTES = 64 << 20
MOST_LISTED = 256
_END = -233  # of a layer's parameters; an array is told by -23300 - id
_ARRAY = -23300
_TEXT = re.compile(rb"7767517\s*\n\s*(\d{1,9})[ \t]+(\d{1,9})\s*\n")
_WEIGHT = re.compile(r"@(?P<name>[\w.]+)=\((?P<shape>[\d,]*)\)(?P<dtype>\w+)\Z")
_PNNX = {
    "f32": "F32", "f64": "F64", "f16": "F16", "bf16": "BF16", "i8": "I8", "i16": "I16", "i32": "I32", "i64": "I64",
    "u8": "U8", "bool": "BOOL", "c64": "C64", "c128": "C128", "c32": "C32",
}  # fmt: skip


def matches(source: Source) -> bool:
    """The magic number as text with two counts below it, or as four bytes with two small counts behind it."""
    head = source.read(0, 64)
    if _TEXT.match(head) is not None:
        return True
    if len(head) < 12 or int.from_bytes(head[:4], "little") != MAGIC:
        return False
    layers, blobs = (int.from_bytes(head[at : at + 4], "little") for at in (4, 8))
    return 0 < layers <= MOST_LAYERS and 0 < blobs <= MOST_LAYERS * 8


def read(source: Source) -> Header:
    """Layers counted by type; what PNNX says of weights. Raises FormatError."""
    if source.read(0, 1) == b"7":
        return _read_text(source)
    return _read_numbers(source)


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Each type of layer; one that ncnn does not know must be the app's own."""
    operators = header.metadata.get("operators")
    for name in operators if isinstance(operators, Mapping) else ():
        yield Observation(kind="operator", value=name)


def _read_text(source: Source) -> Header:
    if source.size > MOST_BYTES:
        raise OverBudget("too_long", path=source.path, offset=0, what="param", length=source.size, most=MOST_BYTES)
    found = _TEXT.match(source.read(0, 64))
    if found is None:
        raise Malformed("ncnn", path=source.path, offset=0)
    layers, blobs = int(found[1]), int(found[2])
    if layers > MOST_LAYERS:
        raise OverBudget("too_many", path=source.path, offset=8, what="layers", count=layers, most=MOST_LAYERS)
    types: Counter[str] = Counter()
    tensors: list[TensorInfo] = []
    inputs: list[str] = []
    for kind, name, rest in islice(_layers(source, found.end()), layers):  # ncnn reads no further either
        types[kind] += 1
        tensors += (tensor for word in rest if (tensor := _weight(name, word)) is not None)
        if kind in ("Input", "pnnx.Input"):
            inputs += [word for word in rest if "=" not in word]
    if types.total() < layers:
        raise Truncated("ncnn_layers", path=source.path, offset=8, said=layers, found=types.total())
    metadata: dict[str, Meta] = {
        "dialect": "pnnx" if any("." in kind for kind in types) else "ncnn",
        "blobs": blobs,
        "inputs": tuple(inputs[:MOST_LISTED]),
        "operators": dict(types.most_common()),
    }
    return Header(format="ncnn", metadata=metadata, tensors=tuple(tensors))


def _layers(source: Source, start: int) -> Iterator[tuple[str, str, list[str]]]:
    """Type, name, and the words behind the two counts, of each line."""
    at = start
    for line in source.read(start, source.size).decode("utf-8", "backslashreplace").split("\n"):
        words = line.split()
        if words and len(words) < 4:
            raise Malformed("ncnn", path=source.path, offset=at)
        if words:
            yield words[0], words[1], words[4:]
        at += len(line) + 1


def _weight(layer: str, word: str) -> TensorInfo | None:
    """`@weight=(8,3,3,3)f32`: a tensor in the archive beside it."""
    found = _WEIGHT.match(word) if word.startswith("@") else None
    dtype = _PNNX.get(found["dtype"]) if found is not None else None
    if found is None or dtype is None or len(found["shape"]) > 200:
        return None
    shape = tuple(int(length) for length in found["shape"].split(",") if length)
    if math.prod(shape) >= 1 << 63:
        return None
    name = f"{layer}.{found['name']}"
    return TensorInfo(
        name=name, dtype=dtype, shape=shape, nbytes=dtypes()[dtype].nbytes(math.prod(shape)), storage=name
    )


def _read_numbers(source: Source) -> Header:
    """The same in numbers: types by their index, blobs by theirs, no names."""
    cursor = Cursor(source)
    cursor.skip(4, "magic")
    layers = cursor.count(cursor.u32("layer_count"), at_least=16, what="layer_count")
    blobs = cursor.u32("blob_count")
    types: Counter[str] = Counter()
    for _ in range(layers):
        types[str(cursor.u32("typeindex"))] += 1
        bottoms, tops = cursor.u32("bottom_count"), cursor.u32("top_count")
        cursor.skip(4 * cursor.count(bottoms + tops, at_least=4, what="blobs"), "blobs")
        _skip_parameters(cursor)
    metadata: dict[str, Meta] = {"dialect": "binary", "blobs": blobs, "types_by_index": dict(types.most_common())}
    return Header(format="ncnn", metadata=metadata)


def _skip_parameters(cursor: Cursor) -> None:
    while (number := int(cursor.unpack("i", "param id"))) != _END:
        if number <= _ARRAY:
            cursor.skip(4 * cursor.count(cursor.u32("array"), at_least=4, what="array"), "array")
        else:
            cursor.skip(4, "param")


FORMAT = Format(name="ncnn", suffixes=(".param", ".param.bin"), matches=matches, read=read, examine=examine)
