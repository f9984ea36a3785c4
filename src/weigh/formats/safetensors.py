"""safetensors: a length, a JSON header, then the tensors' bytes without a gap."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from weigh.codecs.cursor import Cursor
from weigh.codecs.hidden import gaps, observe_hidden
from weigh.codecs.json import decode
from weigh.core.errors import FormatError, Malformed, Truncated
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.knowledge.dtypes import Dtype, dtypes
from weigh.sources.distant import distant

MOST_HEADER = 100_000_000  # the reference reader's own limit
MOST_DIMENSIONS = 64
# fmt: off
DTYPES = frozenset((
    "BOOL", "F4", "F6_E2M3", "F6_E3M2", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ",
    "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "C64", "F64", "I64", "U64",
))
# fmt: on


def matches(source: Source) -> bool:
    """`{` behind a length; an absurd length too, unless those eight bytes are text."""
    head = source.read(0, 10)
    if len(head) < 10 or head[8:9] != b"{" or head[9:10] not in (b'"', b"}", b" ", b"\n"):
        return False
    return int.from_bytes(head[:8], "little") <= MOST_HEADER or not all(
        0x20 <= byte < 0x7F or byte in b"\t\n\r" for byte in head[:8]
    )


def read(source: Source) -> Header:
    """The header, held against the size of the file. Raises FormatError."""
    cursor = Cursor(source)
    length = cursor.u64("N")
    if length > MOST_HEADER:
        raise Malformed("safetensors.length", path=source.path, offset=0, length=length, most=MOST_HEADER)
    if length > cursor.left:
        raise Truncated("past_end", path=source.path, offset=8, what="header", length=length, left=cursor.left)
    table, doubles = _table(_whole(cursor, length), path=source.path)
    metadata, problems = _metadata(table.pop("__metadata__", None))
    problems += [
        Problem(kind="duplicate", detail=Saying("problem.duplicate_key", key=key), offset=8) for key in doubles
    ]
    data = 8 + length
    known = {id: row for id, row in dtypes().items() if id in DTYPES}
    tensors = tuple(
        [
            _info(name, row, known, data) or _tensor(name, row, data=data, path=source.path)
            for name, row in table.items()
        ]
    )
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
    for start, end in gaps(header, source.size):
        yield from observe_hidden(source, start, end)


def _whole(cursor: Cursor, length: int) -> bytes:
    if (far := distant(cursor.source)) is not None:
        far.expect(cursor.offset, length)
    step = 32 << 20  # below the walk's bound for one block
    return b"".join(cursor.bytes(min(step, length - start), "header") for start in range(0, length, step))


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


class _Top(msgspec.Struct):
    metadata: msgspec.Raw = msgspec.field(name="__metadata__", default=msgspec.Raw())


def _table(data: bytes, *, path: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The header's rows, and the keys that stand twice. Raises Malformed."""
    rows = _rows(data, path=path)
    if rows is not None:
        return rows, ()
    table, doubles = decode(data, path=path, offset=8)
    if not isinstance(table, dict):
        raise Malformed("safetensors.not_a_table", path=path, offset=8)
    return table, doubles


def _rows(data: bytes, *, path: str) -> dict[str, Any] | None:
    """The rows of an ordinary header, decoded straight into their shape; None for anything else, to be read with care.

    A key given twice would go unseen here, so each of a row's three keys must stand as often as there are rows, and
    none be written with escapes.
    """
    try:
        metadata: Any = None
        if data.count(b'"__metadata__"') == 1 and (raw := bytes(msgspec.json.decode(data, type=_Top).metadata)):
            metadata, doubles = decode(raw, path=path, offset=8)
            data = data.replace(raw, b"null", 1)
            if doubles or not isinstance(metadata, dict):
                return None
        table = msgspec.json.decode(data, type=dict[str, _Row | None])
    except (FormatError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    number = len(table) - ("__metadata__" in table)
    if b"\\" in data or any(data.count(b'"%b"' % key) != number for key in (b"dtype", b"shape", b"data_offsets")):
        return None
    if list(table.values()).count(None) != ("__metadata__" in table):
        return None
    return {**table, "__metadata__": metadata}


def _metadata(table: Any) -> tuple[dict[str, Meta], list[Problem]]:
    if table is None:
        return {}, []
    if not isinstance(table, dict):
        return {}, [Problem(kind="malformed", detail=Saying("problem.safetensors.metadata"), offset=8)]
    strings = {key: value for key, value in table.items() if isinstance(value, str)}
    if len(strings) == len(table):
        return dict(strings), []
    return dict(strings), [Problem(kind="malformed", detail=Saying("problem.safetensors.metadata"), offset=8)]


def _info(name: str, row: Any, known: Mapping[str, Dtype], data: int) -> TensorInfo | None:
    """The tensor of a row that holds in every respect; None for any other, to be told by `_tensor` what is wrong."""
    if type(row) is not _Row or row.dtype not in known or len(row.shape) > MOST_DIMENSIONS:
        return None
    begin, end = row.data_offsets
    dtype, elements = known[row.dtype], math.prod(row.shape)
    if not 0 <= begin <= end < 1 << 63 or min(row.shape, default=0) < 0:
        return None
    if -(-elements // dtype.block) * dtype.block_bytes != end - begin:
        return None
    return TensorInfo(name=name, dtype=row.dtype, shape=row.shape, nbytes=end - begin, offset=data + begin)


def _tensor(name: str, row: Any, *, data: int, path: str) -> TensorInfo:
    if type(row) is _Row:
        row = {"dtype": row.dtype, "shape": list(row.shape), "data_offsets": list(row.data_offsets)}
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
