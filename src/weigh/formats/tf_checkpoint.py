"""TensorFlow's checkpoints: a sorted table that names each tensor, its shape and the shard its bytes lie in.

Version 2 keeps the bytes in `.data-00000-of-00001` files beside it, version 1 in the table itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from weigh.codecs.protobuf import Message, Wire
from weigh.codecs.protobuf_shape import Kind, fits
from weigh.codecs.sstable import entries, is_table
from weigh.codecs.tf_graph import MOST_TENSORS, fixed_shape
from weigh.core.errors import FormatError, Malformed, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.knowledge.dtypes import dtypes
from weigh.knowledge.element_types import dtype_name
from weigh.sources.memory import MemorySource

MOST_SHARDS = 100_000
_BUNDLE: Mapping[int, Kind] = {1: "varint", 2: "varint", 3: "message"}
_SLICES: Mapping[int, Kind] = {1: "message", 2: "message"}
_SLICES_META: Mapping[int, Kind] = {1: "message", 2: "message"}


def matches(source: Source) -> bool:
    """A sorted table whose first entry, without a key, is a checkpoint's own; or the beginning of one that was cut."""
    if not is_table(source):
        head = source.read(0, 64)
        return (
            head[:2] == b"\0\0" and 4 <= head[2:3][0] < 32 and _is_bundle(head[3 : 3 + head[2]]) if head[2:3] else False
        )
    try:
        key, value = next(entries(source), (b"?", b""))
    except FormatError:
        return False
    return key == b"" and (_is_bundle(value) or _is_slices(value))


def _is_bundle(value: bytes) -> bool:
    wire = _wire(value)
    return {1, 3} <= (fits(wire, (0, len(value)), _BUNDLE) or frozenset())


def _is_slices(value: bytes) -> bool:
    wire = _wire(value)
    if fits(wire, (0, len(value)), _SLICES) != frozenset({1}):
        return False
    meta = wire.whole().span_of(1)
    return meta is not None and bool(fits(wire, meta, _SLICES_META))


def read(source: Source) -> Header:
    """Every tensor with its shard and its place in it. Raises FormatError."""
    rows = entries(source)
    key, value = next(rows, (b"?", b""))
    if key == b"" and _is_bundle(value):
        return _bundle(source, _wire(value, source.path).whole(), rows)
    if key == b"" and _is_slices(value):
        return _slices(source, _wire(value, source.path).whole())
    raise Malformed("tf.checkpoint", path=source.path, offset=0)


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Nothing: names, shapes and numbers only."""
    return iter(())


def _bundle(source: Source, header: Message, rows: Iterator[tuple[bytes, bytes]]) -> Header:
    shards = header.whole(1) or 0
    if not 0 <= shards <= MOST_SHARDS:
        raise Malformed("tf.checkpoint", path=source.path, offset=0)
    tensors: list[TensorInfo] = []
    problems: list[Problem] = []
    slices = 0
    for key, value in rows:
        if key.startswith(b"\0"):  # a piece of a variable that was split; the whole has its own entry
            slices += 1
            continue
        entry = _wire(value, source.path).whole()
        tensors.append(_tensor(entry, key.decode("utf-8", "backslashreplace"), shards))
        problems += _problems(tensors[-1], entry)
        if len(tensors) > MOST_TENSORS:
            raise OverBudget("tensors", path=source.path, most=MOST_TENSORS)
    metadata: dict[str, Meta] = {"shards": shards}
    if slices:
        metadata["slices"] = slices
    order = "big" if header.unsigned(2) == 1 else None
    return Header(
        format="tf-checkpoint",
        version="2",
        byte_order=order,
        metadata=metadata,
        tensors=tuple(tensors),
        problems=tuple(problems[:100]),
    )


def _tensor(entry: Message, name: str, shards: int) -> TensorInfo:
    return TensorInfo(
        name=name,
        dtype=dtype_name("tensorflow", entry.unsigned(1) or 0),
        shape=fixed_shape(entry.message(2), entry, name),
        nbytes=entry.unsigned(5) or 0,
        offset=entry.unsigned(4) or 0,
        storage=f"data-{entry.unsigned(3) or 0:05}-of-{shards:05}",
    )


def _problems(tensor: TensorInfo, entry: Message) -> Iterator[Problem]:
    known = dtypes().get(tensor.dtype)
    if known is None or known.kind == "other" or 7 in entry:
        return
    needed = tensor.num_elements * max(known.block_bytes, 1)
    if tensor.nbytes != needed:
        detail = Saying("problem.span", name=tensor.name, nbytes=tensor.nbytes or 0, needed=needed)
        yield Problem(kind="malformed", detail=detail)


def _slices(source: Source, first: Message) -> Header:
    """Version 1: the first entry names every tensor."""
    meta = first.message(1)
    tensors = []
    for one in meta.messages(1) if meta is not None else ():
        name = one.text(1) or ""
        dtype = dtype_name("tensorflow", one.unsigned(3) or 0)
        tensors.append(_described(name, dtype, fixed_shape(one.message(2), one, name)))
    return Header(format="tf-checkpoint", version="1", tensors=tuple(tensors))


def _described(name: str, dtype: str, shape: tuple[int, ...]) -> TensorInfo:
    info = TensorInfo(name=name, dtype=dtype, shape=shape)
    known = dtypes().get(dtype)
    if known is None or known.kind == "other":
        return info
    return TensorInfo(name=name, dtype=dtype, shape=shape, nbytes=known.nbytes(info.num_elements))


def _wire(value: bytes, path: str = "") -> Wire:
    return Wire(MemorySource(value, path=path))


FORMAT = Format(name="tf-checkpoint", suffixes=(".index", ".ckpt"), matches=matches, read=read, examine=examine)
