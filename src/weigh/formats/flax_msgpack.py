"""Flax' checkpoints: nested tables in MessagePack, arrays as its extension 1.

The layout is that of flax/serialization.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from weigh.codecs.cursor import Cursor
from weigh.codecs.embedded import Inside
from weigh.codecs.msgpack import Token, read_token
from weigh.codecs.zip import Window
from weigh.core.errors import FormatError, Malformed, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.core.value import Value
from weigh.knowledge.dtypes import dtype_aliases, dtypes

MOST_TOKENS = 100_000
MOST_DEPTH = 64
MOST_DIMENSIONS = 64
MOST_NAME = 1024
LOOKED_AT = 2000  # tokens in which an array must come for a file to be one of Flax'
MOST_VALUES = 1000
MOST_BLOBS = 1000

_ARRAY, _SCALAR = 1, 3
_CHUNKED = "__msgpack_chunked_array__"


class Leaf(Value, frozen=True, kw_only=True):
    """What is no table: its path of keys, and the token."""

    path: tuple[str, ...]
    token: Token


def matches(source: Source) -> bool:
    """A table with string keys in which an array comes soon."""
    head = source.read(0, 1)
    if not head or not (0x81 <= head[0] <= 0x8F or head[0] in (0xDE, 0xDF)):
        return False
    try:
        for leaf in _leaves(Cursor(source), LOOKED_AT):
            if leaf.token.kind == "extension" and leaf.token.type == _ARRAY:
                return _array(source, leaf) is not None
    except FormatError:
        return False
    return False


def read(source: Source) -> Header:
    """Every array by its keys joined with `/`; chunked ones as the whole they make. Raises FormatError."""
    cursor = Cursor(source)
    tensors: dict[str, TensorInfo] = {}
    values: dict[str, Meta] = {}
    chunked: list[str] = []
    for leaf in _leaves(cursor, MOST_TOKENS):
        if leaf.path[-1] == _CHUNKED:
            chunked.append("/".join(leaf.path[:-1]))
        elif leaf.token.kind == "extension" and leaf.token.type in (_ARRAY, _SCALAR):
            tensor = _array(source, leaf)
            if tensor is None:
                raise Malformed("msgpack.array", path=source.path, offset=leaf.token.offset)
            tensors[tensor.name] = tensor
        elif leaf.token.kind == "value":
            values["/".join(leaf.path)] = leaf.token.value
    _join(set(chunked), tensors, values)
    problems: tuple[Problem, ...] = ()
    if cursor.left:
        detail = Saying("problem.trailing", nbytes=cursor.left)
        problems = (Problem(kind="trailing", detail=detail, offset=cursor.offset),)
    metadata: dict[str, Meta] = {"values": dict(list(values.items())[:MOST_VALUES])} if values else {}
    return Header(format="flax-msgpack", metadata=metadata, tensors=tuple(tensors.values()), problems=problems)


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Bytes that are no array and hold a file of their own; what follows the table."""
    blobs, inside = 0, Inside(source.path)
    for leaf in _leaves(Cursor(source), MOST_TOKENS):
        kind, token = leaf.token.kind, leaf.token
        if kind == "bytes" or (kind == "extension" and token.type not in (_ARRAY, _SCALAR)):
            blobs += 1
            if blobs <= MOST_BLOBS:
                held = Window(source, token.offset, token.length, path=source.path)
                yield from inside.file(held, "/".join(leaf.path))
    for problem in header.problems:
        if problem.kind == "trailing":
            yield Observation(kind="gap", value="trailing", offset=problem.offset)


def _leaves(cursor: Cursor, most: int) -> Iterator[Leaf]:
    """In order, until the first table ends; nothing where what comes first is no table."""
    first = read_token(cursor)
    if first.kind != "map":
        return
    path: list[str] = []
    opened, left = [first], [first.length]
    for _ in range(most):
        while left and left[-1] == 0:
            left.pop()
            opened.pop()
            path = path[: len(left) - 1]
        if not left:
            return
        number = opened[-1].length - left[-1]
        left[-1] -= 1
        path = [*path[: len(left) - 1], _key(cursor) if opened[-1].kind == "map" else str(number)]
        token = read_token(cursor)
        if token.kind in ("map", "array") and token.length:
            opened.append(token)
            left.append(token.length)
            if len(opened) > MOST_DEPTH:
                raise OverBudget("msgpack.depth", path=cursor.source.path, offset=cursor.offset, most=MOST_DEPTH)
        else:
            yield Leaf(path=tuple(path), token=token)
    if most == MOST_TOKENS:
        raise OverBudget(
            "too_many", path=cursor.source.path, offset=cursor.offset, what="tokens", count=most, most=MOST_TOKENS
        )


def _key(cursor: Cursor) -> str:
    at = cursor.offset
    token = read_token(cursor)
    if not isinstance(token.value, str | int):
        raise Malformed("msgpack.key", path=cursor.source.path, offset=at)
    return str(token.value)[:MOST_NAME]


def _array(source: Source, leaf: Leaf) -> TensorInfo | None:
    """Shape, name of the dtype, bytes: three values in the extension, None if they do not fit each other."""
    token = leaf.token
    cursor = Cursor(source, offset=token.offset, end=token.offset + token.length)
    try:
        if read_token(cursor) != Token("array", length=3) or (rank := read_token(cursor)).kind != "array":
            return None
        if rank.length > MOST_DIMENSIONS:
            return None
        shape = tuple(read_token(cursor).value for _ in range(rank.length))
        name, data = read_token(cursor).value, read_token(cursor)
    except FormatError:
        return None
    lengths = tuple(length for length in shape if type(length) is int and length >= 0)
    dtype = dtype_aliases().get(name) if isinstance(name, str) else None
    if dtype is None or len(lengths) != len(shape) or data.kind != "bytes":
        return None
    if dtypes()[dtype].nbytes(math.prod(lengths)) != data.length:
        return None
    return TensorInfo(
        name="/".join(leaf.path)[-MOST_NAME:], dtype=dtype, shape=lengths, nbytes=data.length, offset=data.offset
    )


def _join(chunked: set[str], tensors: dict[str, TensorInfo], values: dict[str, Meta]) -> None:
    """In place of the chunks of each large array, the array."""
    parts: dict[str, list[TensorInfo]] = {}
    lengths: dict[str, list[int]] = {}
    for name in list(tensors):
        whole, found, _ = name.rpartition("/chunks/")
        if found and whole in chunked:
            parts.setdefault(whole, []).append(tensors.pop(name))
    for name in list(values):
        whole, found, _ = name.rpartition("/shape/")
        if found and whole in parts and isinstance(length := values.pop(name), int):
            lengths.setdefault(whole, []).append(length)
    for whole, pieces in parts.items():
        count = sum(piece.num_elements for piece in pieces)
        shape = tuple(lengths.get(whole, ()))
        shape = shape if math.prod(shape) == count and min(shape, default=0) >= 0 else (count,)
        nbytes = sum(piece.nbytes or 0 for piece in pieces)
        tensors[whole] = TensorInfo(name=whole, dtype=pieces[0].dtype, shape=shape, nbytes=nbytes)


FORMAT = Format(
    name="flax-msgpack",
    suffixes=(".msgpack",),
    matches=matches,
    read=read,
    examine=examine,
)
