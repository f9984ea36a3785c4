"""PaddlePaddle: a program as protobuf or JSON, its parameters one after another in a file without names.

Field numbers are those of https://github.com/PaddlePaddle/Paddle/blob/develop/paddle/fluid/framework/framework.proto.
What `paddle.save` writes (`.pdparams`) is a pickle and read as one.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from weigh.codecs.cursor import Cursor
from weigh.codecs.json import decode
from weigh.codecs.protobuf import Message, Span, Wire
from weigh.codecs.protobuf_shape import Kind, first, fits
from weigh.core.errors import FormatError, Malformed, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.knowledge.dtypes import dtypes
from weigh.knowledge.element_types import dtype_name

MOST_DIMENSIONS = 64
MOST_ELEMENTS = 1 << 40
MOST_LEVELS = 8  # of detail, in a tensor of sequences
MOST_DESCRIPTION = 1024
MOST_TENSORS = 50_000
MOST_LISTED = 256
MOST_JSON = 8 << 20
_LOD_TENSOR = 7

_JSON = re.compile(rb'\s*\{\s*"base_code"\s*:\s*\{\s*"magic"\s*:\s*"pir"')
_JSON_TYPES = {
    "0.t_bool": "BOOL", "0.t_ui8": "U8", "0.t_i8": "I8", "0.t_i16": "I16", "0.t_i32": "I32", "0.t_i64": "I64",
    "0.t_f16": "F16", "0.t_bf16": "BF16", "0.t_f32": "F32", "0.t_f64": "F64", "0.t_c64": "C64", "0.t_c128": "C128",
    "0.t_f8e4m3fn": "F8_E4M3", "0.t_f8e5m2": "F8_E5M2",
}  # fmt: skip

_PROGRAM: Mapping[int, Kind] = {
    1: "message",  # blocks
    2: "bytes",
    3: "bytes",
    4: "message",  # version
    5: "message",  # op_version_map
}
_BLOCK: Mapping[int, Kind] = {
    1: "varint",  # idx
    2: "varint",  # parent_idx
    3: "message",  # vars
    4: "message",  # ops
    5: "varint",  # forward_block_idx
}
_VARIABLE: Mapping[int, Kind] = {
    1: "text",  # name
    2: "message",  # type
    3: "varint",  # persistable
    4: "varint",  # need_check_feed
    5: "varint",  # is_parameter
    6: "varint",  # stop_gradient
    7: "message",  # attrs
}
_OPERATOR: Mapping[int, Kind] = {
    1: "message",  # inputs
    2: "message",  # outputs
    3: "text",  # type
    4: "message",  # attrs
    5: "varint",  # is_target
}
_TENSOR: Mapping[int, Kind] = {1: "varint", 2: "varints"}


def matches(source: Source) -> bool:
    """A program whose first block has a variable or an operator, or one as JSON; or a tensor as parameters begin."""
    head = source.read(0, 64)
    if head[:1] == b"{":
        return _JSON.match(head) is not None
    if head[:1] == b"\x0a":
        return _is_program(Wire(source), (0, source.size))
    if head[:4] != bytes(4) or len(head) < 20:
        return False
    try:
        return len(list(islice(_parameters(source), 1))) == 1
    except FormatError:
        return False


def _is_program(wire: Wire, whole: Span) -> bool:
    block = first(wire, whole, 1) if fits(wire, whole, _PROGRAM) else None
    if block is None or not {1, 2} <= (fits(wire, block, _BLOCK) or frozenset()):
        return False
    variable, operator = first(wire, block, 3), first(wire, block, 4)
    if variable is not None:
        return {1, 2} <= (fits(wire, variable, _VARIABLE) or frozenset())
    return operator is not None and 3 in (fits(wire, operator, _OPERATOR) or frozenset())


def read(source: Source) -> Header:
    """Operators and persistable variables of a program, or the tensors of a file of parameters. Raises FormatError."""
    if source.read(0, 1) == b"{":
        return _read_json(source)
    if source.read(0, 1) != b"\x0a":
        return Header(format="paddle", metadata={"part": "parameters"}, tensors=tuple(_parameters(source)))
    program = Wire(source).whole()
    operators: Counter[str] = Counter()
    tensors: tuple[TensorInfo, ...] = ()
    for block in program.messages(1):
        operators.update(operator.text(3) or "" for operator in block.messages(4))
        tensors += tuple(_variables(block))
        if len(tensors) > MOST_TENSORS:
            raise OverBudget("tensors", path=source.path, offset=block.span[0], most=MOST_TENSORS)
    version = program.message(4)
    metadata: dict[str, Meta] = {
        "part": "program",
        "blocks": len(program.spans(1)),
        "inputs": _ends(program, "feed"),
        "outputs": _ends(program, "fetch"),
        "operators": dict(operators.most_common()),
    }
    return Header(
        format="paddle",
        version=str(version.whole(1) or 0) if version is not None else None,
        metadata={key: value for key, value in metadata.items() if value},
        tensors=tensors,
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Each operator with the block it first stands in."""
    operators = header.metadata.get("operators")
    if header.metadata.get("encoding") == "json" and isinstance(operators, Mapping):
        yield from (Observation(kind="operator", value=name) for name in operators)
    if header.metadata.get("part") == "parameters" or source.read(0, 1) != b"\x0a":
        return
    seen: set[str] = set()
    for number, block in enumerate(Wire(source).whole().messages(1)):
        for operator in block.messages(4):
            kind = operator.text(3) or ""
            if kind not in seen:
                seen.add(kind)
                yield Observation(kind="operator", value=kind, where=f"block {number}", offset=operator.span[0])


def _variables(block: Message) -> Iterator[TensorInfo]:
    """What is kept between runs: the parameters, whose numbers lie in another file."""
    for variable in block.messages(3):
        type = variable.message(2)
        held = type.message(3) if type is not None and type.unsigned(1) == _LOD_TENSOR else None
        tensor = held.message(1) if held is not None else None
        if tensor is not None and variable.unsigned(3):
            name = variable.text(1) or ""
            dtype, shape = _described(tensor, name)
            shape = tuple(max(length, 0) for length in shape)
            known = dtypes().get(dtype)
            nbytes = known.nbytes(math.prod(shape)) if known is not None else None
            yield TensorInfo(name=name, dtype=dtype, shape=shape, nbytes=nbytes)


def _ends(program: Message, kind: str) -> tuple[str, ...]:
    """What `feed` puts out and what `fetch` takes in."""
    block = next(iter(program.messages(1)), None)
    found: list[str] = []
    for operator in block.messages(4) if block is not None else ():
        if operator.text(3) == kind:
            for one in operator.messages(2 if kind == "feed" else 1):
                found += one.texts(2)
    return tuple(found[:MOST_LISTED])


def _read_json(source: Source) -> Header:
    """A program since version 3: operations in blocks in regions, a parameter being the operation `p`."""
    if source.size > MOST_JSON:
        raise OverBudget("too_long", path=source.path, offset=0, what="JSON", length=source.size, most=MOST_JSON)
    table, _ = decode(source.read(0, source.size), path=source.path)
    operators: Counter[str] = Counter()
    tensors: list[TensorInfo] = []
    pending: list[Any] = [table]
    while pending:
        match pending.pop():
            case {"#": "p", "A": [*_, str(name)], "O": {"TT": {"D": [{"#": str(type)}, [*shape], *_]}}}:
                tensors.append(_parameter(name, type, shape, source))
            case {"#": str(kind), "O": _} as one:
                operators[kind.partition(".")[2] or kind] += 1
                pending += [value for key, value in one.items() if key == "regions"]
            case dict(one):
                pending += one.values()
            case list(items):
                pending += reversed(items)
    version = table.get("base_code", {}).get("version") if isinstance(table, dict) else None
    return Header(
        format="paddle",
        version=str(version) if isinstance(version, int) else None,
        metadata={"part": "program", "encoding": "json", "operators": dict(operators.most_common())},
        tensors=tuple(tensors),
    )


def _parameter(name: str, type: str, shape: list[Any], source: Source) -> TensorInfo:
    if not all(isinstance(length, int) and length >= 0 for length in shape) or math.prod(shape) >= MOST_ELEMENTS:
        raise Malformed("tensor_shape", path=source.path, name=name)
    dtype = _JSON_TYPES.get(type, type)
    known = dtypes().get(dtype)
    nbytes = known.nbytes(math.prod(shape)) if known is not None else None
    return TensorInfo(name=name, dtype=dtype, shape=tuple(shape), nbytes=nbytes)


def _parameters(source: Source) -> Iterator[TensorInfo]:
    """Tensors one after another to the end, each led by its levels of detail and its description."""
    cursor = Cursor(source)
    number = 0
    while cursor.left:
        if number >= MOST_TENSORS:
            raise OverBudget("tensors", path=source.path, offset=cursor.offset, most=MOST_TENSORS)
        wire, span = Wire(source), _description(cursor)
        if 1 not in (fits(wire, span, _TENSOR) or frozenset()):
            raise Malformed("paddle.tensor", path=source.path, offset=span[0])
        dtype, shape = _described(wire.message(span), str(number))
        known = dtypes().get(dtype)
        if known is None or known.kind == "other" or min(shape, default=0) < 0:
            raise Malformed("paddle.tensor", path=source.path, offset=span[0])
        nbytes = known.nbytes(math.prod(shape))
        yield TensorInfo(name=str(number), dtype=dtype, shape=shape, nbytes=nbytes, offset=cursor.offset)
        cursor.skip(nbytes, f"tensor {number}")
        number += 1


def _description(cursor: Cursor) -> Span:
    """Where the next tensor's description lies: behind two versions, both 0, and its levels of detail."""
    at = cursor.offset
    version, levels = cursor.u32("version"), cursor.u64("lod_level")
    if version or levels > MOST_LEVELS:
        raise Malformed("paddle.tensor", path=cursor.source.path, offset=at)
    for _ in range(levels):
        cursor.skip(cursor.u64("lod"), "lod")
    version, length = cursor.u32("tensor version"), cursor.u32("desc size")
    if version or not 0 < length <= MOST_DESCRIPTION:
        raise Malformed("paddle.tensor", path=cursor.source.path, offset=at)
    cursor.skip(length, "desc")
    return cursor.offset - length, cursor.offset


def _described(tensor: Message, name: str) -> tuple[str, tuple[int, ...]]:
    shape = tuple(tensor.wholes(2))
    if len(shape) > MOST_DIMENSIONS or math.prod(map(abs, shape)) >= MOST_ELEMENTS or min(shape, default=0) < -1:
        raise Malformed("tensor_shape", path=tensor.wire.source.path, offset=tensor.span[0], name=name)
    return dtype_name("paddle", tensor.unsigned(1) or 0), shape


FORMAT = Format(
    name="paddle", suffixes=(".pdmodel", ".pdiparams", ".json"), matches=matches, read=read, examine=examine
)
