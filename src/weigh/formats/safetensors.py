"""safetensors: a length, a JSON header, then the tensors' bytes without a gap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from weigh.codecs.cursor import Cursor
from weigh.codecs.json import decode
from weigh.core.errors import Malformed, Truncated
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.knowledge.dtypes import dtypes
from weigh.sources.distant import distant

MOST_HEADER = 100_000_000  # the reference reader's own limit
MOST_DIMENSIONS = 64
DTYPES = frozenset(
    "BOOL F4 F6_E2M3 F6_E3M2 U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ I16 U16 F16 BF16 I32 U32 F32 C64 F64"
    " I64 U64".split()
)


def matches(source: Source) -> bool:
    """`{` behind a length; an absurd length too, unless those eight bytes are text."""
    head = source.read(0, 10)
    if len(head) < 10 or head[8:9] != b"{" or head[9:10] not in (b'"', b"}", b" ", b"\n"):
        return False
    return int.from_bytes(head[:8], "little") <= MOST_HEADER or not all(0x20 <= byte < 0x7F for byte in head[:8])


def read(source: Source) -> Header:
    """The header, held against the size of the file. Raises FormatError."""
    cursor = Cursor(source)
    length = cursor.u64("N")
    if length > MOST_HEADER:
        raise Malformed("safetensors.length", path=source.path, offset=0, length=length, most=MOST_HEADER)
    if length > cursor.left:
        raise Truncated("past_end", path=source.path, offset=8, what="header", length=length, left=cursor.left)
    table, doubles = decode(_whole(cursor, length), path=source.path, offset=8)
    if not isinstance(table, dict):
        raise Malformed("safetensors.not_a_table", path=source.path, offset=8)
    metadata, problems = _metadata(table.pop("__metadata__", None))
    problems += [
        Problem(kind="duplicate", detail=Saying("problem.duplicate_key", key=key), offset=8) for key in doubles
    ]
    data = 8 + length
    tensors = tuple(_tensor(name, row, data=data, path=source.path) for name, row in table.items())
    problems += _layout(tensors, start=data, size=source.size)
    return Header(format="safetensors", metadata=metadata, tensors=tensors, problems=tuple(problems))


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Templates in the metadata; bytes that no tensor owns."""
    for key, value in header.metadata.items():
        if isinstance(value, str) and ("{{" in value or "{%" in value):
            yield Observation(kind="template", value=value, where=key)
    for problem in header.problems:
        if problem.kind in ("gap", "trailing"):
            yield Observation(kind="gap", value=problem.kind, offset=problem.offset)


def _whole(cursor: Cursor, length: int) -> bytes:
    if (far := distant(cursor.source)) is not None:
        far.expect(cursor.offset, length)
    step = 32 << 20  # below the walk's bound for one block
    return b"".join(cursor.bytes(min(step, length - start), "header") for start in range(0, length, step))


def _metadata(table: Any) -> tuple[dict[str, Meta], list[Problem]]:
    if table is None:
        return {}, []
    if not isinstance(table, dict):
        return {}, [Problem(kind="malformed", detail=Saying("problem.safetensors.metadata"), offset=8)]
    strings = {key: value for key, value in table.items() if isinstance(value, str)}
    if len(strings) == len(table):
        return dict(strings), []
    return dict(strings), [Problem(kind="malformed", detail=Saying("problem.safetensors.metadata"), offset=8)]


def _tensor(name: str, row: Any, *, data: int, path: str) -> TensorInfo:
    match row:
        case {"dtype": str(dtype), "shape": [*shape], "data_offsets": [int(begin), int(end)]} if (
            len(row) == 3 and type(begin) is int and type(end) is int and all(type(length) is int for length in shape)
        ):
            pass
        case _:
            raise Malformed("safetensors.tensor", path=path, offset=8, name=name)
    if dtype not in DTYPES:
        raise Malformed("safetensors.dtype", path=path, offset=8, name=name, dtype=dtype)
    if len(shape) > MOST_DIMENSIONS or any(not 0 <= length < 1 << 64 for length in shape):
        raise Malformed("safetensors.shape", path=path, offset=8, name=name)
    if not 0 <= begin <= end < 1 << 63:
        raise Malformed("safetensors.offsets", path=path, offset=8, name=name, begin=begin, end=end)
    known = dtypes()[dtype]
    info = TensorInfo(name=name, dtype=dtype, shape=tuple(shape), nbytes=end - begin, offset=data + begin)
    if known.nbytes(info.num_elements) != end - begin:
        raise Malformed(
            "safetensors.span",
            path=path,
            offset=8,
            name=name,
            nbytes=end - begin,
            needed=known.nbytes(info.num_elements),
        )
    return info


def _layout(tensors: tuple[TensorInfo, ...], *, start: int, size: int) -> list[Problem]:
    """Where the tensors leave a hole, lie upon each other, or want more or fewer bytes than there are."""
    problems = []
    at = start
    for tensor in sorted(tensors, key=lambda tensor: (tensor.offset or 0, tensor.nbytes or 0)):
        offset, nbytes = tensor.offset or 0, tensor.nbytes or 0
        if offset > at:
            problems.append(Problem(kind="gap", detail=Saying("problem.gap", nbytes=offset - at), offset=at))
        elif offset < at:
            problems.append(Problem(kind="overlap", detail=Saying("problem.overlap", name=tensor.name), offset=offset))
        at = max(at, offset + nbytes)
    if at > size:
        problems.append(
            Problem(kind="truncated", detail=Saying("problem.truncated", missing=at - size, size=size), offset=size)
        )
    elif at < size:
        problems.append(Problem(kind="trailing", detail=Saying("problem.trailing", nbytes=size - at), offset=at))
    return problems


FORMAT = Format(name="safetensors", suffixes=(".safetensors",), matches=matches, read=read, examine=examine)
