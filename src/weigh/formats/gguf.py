"""GGUF: typed keys, tensor descriptions, then the tensors' bytes.

The layout is that of ggml's docs/gguf.md; version 1 has 32-bit lengths, and a big-endian file shows itself by a
version whose low half is zero.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal

from weigh.codecs.cursor import Cursor
from weigh.codecs.gguf_tokenizer import check_byte_tokens, tokenizer_problems
from weigh.codecs.hidden import gaps, observe_hidden
from weigh.core.errors import Malformed, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, LongArray, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.knowledge.dtypes import Dtype, ggml_types
from weigh.sources.distant import distant

VERSIONS = (1, 2, 3)
MOST_DIMENSIONS = 4
MOST_DEPTH = 4  # of arrays in arrays; real files have none
MOST_ALIGNMENT = 1 << 20
SHORT = 16  # elements of an array that are kept
MOST_PER_LAYER = 1024  # of an array that may speak layer by layer, all are kept
MOST_KEPT = 100_000  # elements so kept in one file

_STRING, _ARRAY = 8, 9
# type number -> name, struct code, bytes
_SCALARS: dict[int, tuple[str, str, int]] = {
    0: ("uint8", "B", 1),
    1: ("int8", "b", 1),
    2: ("uint16", "H", 2),
    3: ("int16", "h", 2),
    4: ("uint32", "I", 4),
    5: ("int32", "i", 4),
    6: ("float32", "f", 4),
    7: ("bool", "B", 1),
    10: ("uint64", "Q", 8),
    11: ("int64", "q", 8),
    12: ("float64", "d", 8),
}


def matches(source: Source) -> bool:
    """The four letters."""
    return source.read(0, 4) == b"GGUF"


def read(source: Source) -> Header:
    """Keys and tensor descriptions, held against the size of the file. Raises FormatError."""
    cursor = Cursor(source)
    cursor.skip(4, "magic")
    version = _version(cursor)
    reader = _Reader(cursor, 4 if version == 1 else 8)
    tensor_count, key_count = reader.size("tensor_count"), reader.size("metadata_kv_count")
    cursor.count(key_count, at_least=reader.width + 5, what="metadata_kv_count")
    metadata, problems = _metadata(reader, key_count)
    cursor.count(tensor_count, at_least=reader.width + 16, what="tensor_count")
    problems += tokenizer_problems(metadata)
    alignment = _alignment(metadata, problems)
    described = [_described(reader) for _ in range(tensor_count)]
    start = -(-cursor.offset // alignment) * alignment
    if not _is_here(source, cursor.offset) and "tokenizer.ggml.tokens" in metadata:
        problems.append(Problem(kind="left-there", detail=Saying("problem.gguf.left_there")))
    tensors = tuple(_tensor(row, start, problems) for row in described)
    problems += _layout(tensors, start=start, size=source.size, alignment=alignment)
    return Header(
        format="gguf",
        version=str(version),
        byte_order="big" if cursor.order == "big" else None,
        metadata=metadata,
        tensors=tensors,
        problems=tuple(problems),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Every string that is a template; bytes that no tensor owns."""
    for key, value in header.metadata.items():
        held = value.first if isinstance(value, LongArray) else value
        for text in held if isinstance(held, tuple) else (held,):
            if isinstance(text, str) and ("{{" in text or "{%" in text):
                yield Observation(kind="template", value=text, where=key)
    for problem in header.problems:
        if problem.kind in ("gap", "trailing"):
            yield Observation(kind="gap", value=problem.kind, offset=problem.offset)
    for start, end in gaps(header, source.size):
        yield from observe_hidden(source, start, end)
    if all(problem.kind != "left-there" for problem in header.problems):
        first = min((one.offset or 0 for one in header.tensors), default=source.size)
        check_byte_tokens(source, header.metadata, first)


def _is_here(source: Source, length: int) -> bool:
    """May so many bytes from the start be read again without asking a server?"""
    far = distant(source)
    return far is None or far.at_hand(0) >= length


def _version(cursor: Cursor) -> int:
    version = cursor.u32("version")
    if version & 0xFFFF == 0:
        version = int.from_bytes(version.to_bytes(4, "little"), "big")
        cursor.in_order("big")
    if version not in VERSIONS:
        raise Malformed("gguf.version", path=cursor.source.path, offset=4, version=version)
    return version


class _Reader:
    """The Cursor with GGUF's strings and values; `width` is the bytes of a length."""

    __slots__ = ("cursor", "kept", "size", "width")

    def __init__(self, cursor: Cursor, width: Literal[4, 8]) -> None:
        self.cursor = cursor
        self.width = width
        self.kept = 0
        self.size = cursor.u64 if width == 8 else cursor.u32

    def string(self, what: str) -> str:
        return self.cursor.text(self.size(what), what)

    def scalar(self, kind: int, what: str) -> int | float | bool:
        _, code, _ = _SCALARS[kind]
        value = self.cursor.unpack(code, what)
        return bool(value) if kind == 7 else value

    def value(self, kind: int, what: str, depth: int = 0) -> Meta:
        if kind == _STRING:
            return self.string(what)
        if kind == _ARRAY:
            return self.array(what, depth)
        if kind not in _SCALARS:
            raise Malformed(
                "gguf.value_type", path=self.cursor.source.path, offset=self.cursor.offset, what=what, type=kind
            )
        return self.scalar(kind, what)

    def array(self, what: str, depth: int) -> Meta:
        """Up to SHORT elements as a tuple, more as a LongArray whose rest is walked past."""
        cursor = self.cursor
        if depth >= MOST_DEPTH:
            raise OverBudget("gguf.depth", path=cursor.source.path, offset=cursor.offset, what=what, most=MOST_DEPTH)
        kind = cursor.u32(f"type of {what}")
        length = self.size(f"len of {what}")
        if kind == _STRING:
            cursor.count(length, at_least=self.width, what=what)
            first: tuple[Meta, ...] = tuple(self.string(what) for _ in range(min(length, SHORT)))
            cursor.skip_strings(length - len(first), what, width=self.width)
            return first if length <= SHORT else LongArray(type="string", count=length, first=first)  # type: ignore[arg-type]
        if kind == _ARRAY:
            cursor.count(length, at_least=4 + self.width, what=what)
            inner = tuple(self.array(what, depth + 1) for _ in range(length))
            return inner if length <= SHORT else LongArray(type="array", count=length)
        if kind not in _SCALARS:
            raise Malformed("gguf.value_type", path=cursor.source.path, offset=cursor.offset, what=what, type=kind)
        name, _, nbytes = _SCALARS[kind]
        cursor.count(length, at_least=nbytes, what=what)
        keep = self._to_keep(length, what)
        first = tuple(self.scalar(kind, what) for _ in range(keep))
        cursor.skip((length - keep) * nbytes, what)
        return first if keep == length else LongArray(type=name, count=length, first=first)  # type: ignore[arg-type]

    def _to_keep(self, length: int, what: str) -> int:
        """All of an array that may give a figure for each layer; else the first few. `what` is the key."""
        if length <= SHORT:
            return length
        if what.startswith(("tokenizer.", "general.")) or length > MOST_PER_LAYER or self.kept + length > MOST_KEPT:
            return SHORT
        self.kept += length
        return length


def _metadata(reader: _Reader, count: int) -> tuple[dict[str, Meta], list[Problem]]:
    metadata: dict[str, Meta] = {}
    problems: list[Problem] = []
    for _ in range(count):
        offset = reader.cursor.offset
        key = reader.string("key")
        value = reader.value(reader.cursor.u32(f"value_type of {key}"), key)
        if key in metadata:
            problems.append(Problem(kind="duplicate", detail=Saying("problem.duplicate_key", key=key), offset=offset))
        else:
            metadata[key] = value
    return metadata, problems


def _alignment(metadata: dict[str, Meta], problems: list[Problem]) -> int:
    match metadata.get("general.alignment"):
        case None:
            return 32
        case bool() | float():
            pass
        case int(alignment) if 0 < alignment <= MOST_ALIGNMENT and alignment & (alignment - 1) == 0:
            return alignment
    problems.append(Problem(kind="malformed", detail=Saying("problem.gguf.alignment"), offset=24))
    return 32


_Row = tuple[str, tuple[int, ...], int, int, int]


def _described(reader: _Reader) -> _Row:
    """Name, dimensions as in the file, type number, offset in the data, offset of the description."""
    cursor = reader.cursor
    at = cursor.offset
    name = reader.string("tensor name")
    rank = cursor.u32(f"n_dims of {name}")
    if rank > MOST_DIMENSIONS:
        raise Malformed("gguf.rank", path=cursor.source.path, offset=at, name=name, rank=rank)
    dimensions = tuple(reader.size(f"ne of {name}") for _ in range(rank))
    if math.prod(dimensions) >= 1 << 63:
        raise Malformed("gguf.shape", path=cursor.source.path, offset=at, name=name)
    kind = cursor.u32(f"type of {name}")
    return name, dimensions, kind, cursor.u64(f"offset of {name}"), at


def _tensor(row: _Row, start: int, problems: list[Problem]) -> TensorInfo:
    name, dimensions, kind, offset, at = row
    shape = tuple(reversed(dimensions))
    dtype: Dtype | None = ggml_types().get(kind)
    if dtype is None:
        problems.append(
            Problem(kind="unknown-type", detail=Saying("problem.gguf.type", name=name, type=kind), offset=at)
        )
        return TensorInfo(name=name, dtype=f"GGML_{kind}", shape=shape, offset=start + offset)
    if dimensions and dimensions[0] % dtype.block:
        detail = Saying("problem.gguf.block", name=name, length=dimensions[0], dtype=dtype.id, block=dtype.block)
        problems.append(Problem(kind="malformed", detail=detail, offset=at))
    return TensorInfo(
        name=name, dtype=dtype.id, shape=shape, nbytes=dtype.nbytes(math.prod(dimensions)), offset=start + offset
    )


def _layout(tensors: tuple[TensorInfo, ...], *, start: int, size: int, alignment: int) -> list[Problem]:
    """Names given twice, offsets off the alignment, overlaps, holes, and a file shorter or longer than its tensors."""
    problems = []
    names: set[str] = set()
    at = start
    for tensor in sorted(tensors, key=lambda tensor: (tensor.offset or 0, tensor.nbytes or 0)):
        offset, nbytes = tensor.offset or 0, tensor.nbytes or 0
        if tensor.name in names:
            detail = Saying("problem.duplicate_tensor", name=tensor.name)
            problems.append(Problem(kind="duplicate", detail=detail, offset=offset))
        names.add(tensor.name)
        if offset % alignment:
            detail = Saying("problem.misaligned", name=tensor.name, alignment=alignment)
            problems.append(Problem(kind="misaligned", detail=detail, offset=offset))
        if offset < at:
            problems.append(Problem(kind="overlap", detail=Saying("problem.overlap", name=tensor.name), offset=offset))
        elif offset > -(-at // alignment) * alignment:
            problems.append(Problem(kind="gap", detail=Saying("problem.gap", nbytes=offset - at), offset=at))
        at = max(at, offset + nbytes)
    if tensors and at > size:
        problems.append(
            Problem(kind="truncated", detail=Saying("problem.truncated", missing=at - size, size=size), offset=size)
        )
    elif size > -(-at // alignment) * alignment:
        problems.append(Problem(kind="trailing", detail=Saying("problem.trailing", nbytes=size - at), offset=at))
    return problems


FORMAT = Format(name="gguf", suffixes=(".gguf",), matches=matches, read=read, examine=examine)
