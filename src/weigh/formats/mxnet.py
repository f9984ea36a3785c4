"""MXNet: arrays behind a magic number, and the network beside them as JSON.

The layout is that of NDArray::Save in https://github.com/apache/mxnet/blob/master/src/ndarray/ndarray.cc.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from weigh.codecs.cursor import Cursor
from weigh.codecs.json import decode
from weigh.core.errors import FormatError, Malformed, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.knowledge.dtypes import dtypes
from weigh.knowledge.element_types import dtype_name

MAGIC = 0x112
MOST_DIMENSIONS = 64
MOST_ARRAYS = 50_000
MOST_SYMBOL = 4 << 20
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA  # of one array; anything else is the rank of the oldest
_DENSE = 0
_AUXILIARY = {1: 1, 2: 2}  # row-sparse and compressed rows: how many arrays of indices stand beside the values
_SYMBOL = re.compile(rb'\s*\{\s*"(?:nodes|attrs|arg_nodes|heads|node_row_ptr)"\s*:\s*[\[{]')


def matches(source: Source) -> bool:
    """The magic number and eight zeros; or JSON with nodes, their operators and what the network's arguments are."""
    head = source.read(0, 256)
    if head[:8] == MAGIC.to_bytes(8, "little"):
        return head[8:16] == bytes(8)
    if _SYMBOL.match(head) is None or source.size > MOST_SYMBOL:
        return False
    try:
        return _nodes(_symbol(source)) is not None
    except FormatError:
        return False


def read(source: Source) -> Header:
    """Every array with its name, or the network's operators counted. Raises FormatError."""
    if source.read(0, 1) != b"\x12":
        return _read_symbol(source)
    cursor = Cursor(source)
    cursor.skip(16, "magic")
    count = cursor.count(cursor.u64("arrays"), at_least=4, what="arrays")
    if count > MOST_ARRAYS:
        raise OverBudget("tensors", path=source.path, offset=16, most=MOST_ARRAYS)
    arrays = [_array(cursor, number) for number in range(count)]
    names = [
        cursor.text(cursor.u64("name length"), "name")
        for _ in range(cursor.count(cursor.u64("names"), at_least=8, what="names"))
    ]
    tensors, problems = [], []
    for number, array in enumerate(arrays):
        name = names[number] if number < len(names) else str(number)
        tensors.append(
            TensorInfo(name=name, dtype=array.dtype, shape=array.shape, nbytes=array.nbytes, offset=array.offset)
        )
    if names and len(names) != len(arrays):
        detail = Saying("problem.mxnet.names", names=len(names), arrays=len(arrays))
        problems.append(Problem(kind="malformed", detail=detail))
    if cursor.left:
        detail = Saying("problem.trailing", nbytes=cursor.left)
        problems.append(Problem(kind="trailing", detail=detail, offset=cursor.offset))
    return Header(format="mxnet", tensors=tuple(tensors), problems=tuple(problems))


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """The network's operators; `Custom` runs Python that the program brings."""
    operators = header.metadata.get("operators")
    for name in operators if isinstance(operators, Mapping) else ():
        yield Observation(kind="operator", value=name)


def _array(cursor: Cursor, number: int) -> TensorInfo:
    magic = cursor.u32(f"magic of {number}")
    sparse = 0
    if magic in (_V2, _V3):
        kind = cursor.u32(f"storage type of {number}")
        sparse = _AUXILIARY.get(kind, 0)
        if kind != _DENSE and not sparse:
            raise Malformed("mxnet.array", path=cursor.source.path, offset=cursor.offset, number=number)
        stored = _shape(cursor, cursor.u32("rank"), number, wide=True) if sparse else None
        shape = _shape(cursor, cursor.u32("rank"), number, wide=True)
    elif magic == _V1:
        shape, stored = _shape(cursor, cursor.u32("rank"), number, wide=True), None
    else:
        shape, stored = _shape(cursor, magic, number, wide=False), None
    if not shape and magic != _V3:  # an array that was never filled
        return TensorInfo(name="", dtype="F32", shape=(0,), nbytes=0)
    cursor.skip(8, "context")
    dtype = dtype_name("mxnet", cursor.u32(f"type of {number}"))
    beside = [
        (dtype_name("mxnet", cursor.u32("aux type")), _shape(cursor, cursor.u32("aux rank"), number, wide=True))
        for _ in range(sparse)
    ]
    offset = cursor.offset
    nbytes = _nbytes(cursor, dtype, shape if stored is None else stored, number)
    for kind_of, length in beside:
        nbytes += _nbytes(cursor, kind_of, length, number)
    return TensorInfo(name="", dtype=dtype, shape=shape, nbytes=nbytes, offset=offset)


def _nbytes(cursor: Cursor, dtype: str, shape: tuple[int, ...], number: int) -> int:
    """Goes past the numbers."""
    known = dtypes().get(dtype)
    if known is None:
        raise Malformed("mxnet.array", path=cursor.source.path, offset=cursor.offset, number=number)
    nbytes = known.nbytes(math.prod(shape))
    cursor.skip(nbytes, f"array {number}")
    return nbytes


def _shape(cursor: Cursor, rank: int, number: int, *, wide: bool) -> tuple[int, ...]:
    if rank > MOST_DIMENSIONS:
        raise Malformed("mxnet.array", path=cursor.source.path, offset=cursor.offset, number=number)
    shape = tuple(cursor.u64("dimension") if wide else cursor.u32("dimension") for _ in range(rank))
    if math.prod(shape) >= 1 << 63:
        raise Malformed("tensor_shape", path=cursor.source.path, offset=cursor.offset, name=str(number))
    return shape


def _read_symbol(source: Source) -> Header:
    if source.size > MOST_SYMBOL:
        raise OverBudget("too_long", path=source.path, offset=0, what="symbol", length=source.size, most=MOST_SYMBOL)
    table = _symbol(source)
    nodes = _nodes(table)
    if nodes is None:
        raise Malformed("mxnet.symbol", path=source.path, offset=0)
    operators = Counter(node["op"] for node in nodes if node["op"] != "null")
    inputs = [node["name"] for node in nodes if node["op"] == "null"]
    version = table.get("attrs", {}).get("mxnet_version") if isinstance(table.get("attrs"), dict) else None
    metadata: dict[str, Meta] = {"operators": dict(operators.most_common()), "variables": len(inputs)}
    told = version[1] if isinstance(version, list) and len(version) == 2 else None
    return Header(format="mxnet", version=str(told) if told is not None else None, metadata=metadata)


def _symbol(source: Source) -> dict[str, Any]:
    table, _ = decode(source.read(0, MOST_SYMBOL), path=source.path)
    return table if isinstance(table, dict) else {}


def _nodes(table: dict[str, Any]) -> list[Any] | None:
    """Nodes that have an operator, a name and inputs, in a table that has MXNet's other keys too."""
    match table:
        case {"nodes": [_, *_] as nodes, "arg_nodes": list(), "heads": list()} if all(
            isinstance(node, dict)
            and isinstance(node.get("op"), str)
            and isinstance(node.get("name"), str)
            and isinstance(node.get("inputs"), list)
            for node in nodes
        ):
            return list(nodes)
    return None


FORMAT = Format(name="mxnet", suffixes=(".params", ".json"), matches=matches, read=read, examine=examine)
