"""torch.save of its first year: a tar of `sys_info`, `pickle`, `tensors` and `storages`; torch/serialization.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from weigh.codecs.cursor import Cursor
from weigh.codecs.pickle import run
from weigh.codecs.pickle_nodes import Global, Stream
from weigh.codecs.pickle_observations import observe
from weigh.codecs.torch_objects import keys_of, persistent_in, tensors_in
from weigh.codecs.zip import Window
from weigh.core.errors import Malformed, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.core.value import Value
from weigh.knowledge.dtypes import dtype_aliases, dtypes

MOST_MEMBERS = 64
MOST_OBJECTS = 5_000  # storages or tensors
MOST_ROW = 1 << 13  # bytes of the pickle that describes one
MOST_DIMENSIONS = 64
_BLOCK = 512
_OWN = ("sys_info", "pickle", "storages", "tensors")
_NEEDED = ("pickle", "storages")


class _Storage(Value, frozen=True, kw_only=True):
    dtype: str
    offset: int  # in the file
    num_elements: int


def matches(source: Source) -> bool:
    """A tar that begins with one of torch's members and has the pickle and the storages among its own."""
    if not _is_header(source.read(0, _BLOCK)):
        return False
    names = {name for name, _, _ in _walk(source)}
    return {"pickle", "storages"} <= names


def read(source: Source) -> Header:
    """Tensors of the pickle, by the tables beside it or, without that of tensors, by itself. Raises FormatError."""
    members = {name: Window(source, offset, nbytes, path=source.path) for name, offset, nbytes in _walk(source)}
    starts = {name: offset for name, offset, _ in _walk(source)}
    for name in _NEEDED:
        if name not in members:
            raise Malformed("torch.no_member", path=source.path, offset=0, name=name)
    stream = _checked(run(members["pickle"]))
    if "tensors" in members:
        tensors = list(_tabled(stream, _views(members["tensors"], _storages(members["storages"], starts["storages"]))))
    else:
        tensors = [tensor.info(None) for tensor in tensors_in(stream.value)]
    problems = tuple(_problems(source, members, starts))
    keys = keys_of(stream.value)
    return Header(
        format="pytorch-tar",
        metadata={"protocol": stream.protocol, "keys": keys},
        tensors=tuple(tensors),
        problems=problems,
    )


def _tabled(stream: Stream, views: Mapping[str, TensorInfo]) -> Iterator[TensorInfo]:
    """What the pickle keeps outside, each by its row in the table of tensors."""
    for name, node in persistent_in(stream.value):
        if (view := views.get(str(node.value))) is not None:
            yield msgspec.structs.replace(view, name=name)


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """All pickles of torch's own members."""
    for name, offset, nbytes in _walk(source):
        if name in ("sys_info", "pickle"):
            yield from observe(Window(source, offset, nbytes, path=f"{source.path}!/{name}"))
        else:
            yield from _streams(source, name, offset, nbytes)


def _streams(source: Source, name: str, offset: int, nbytes: int) -> Iterator[Observation]:
    """Between the pickles of these lie bytes of tensors: only what names something is told."""
    first = run(Window(source, offset, nbytes, path=source.path))
    at = first.end
    for _ in range(MOST_OBJECTS if isinstance(first.value, int) else 0):
        stream = run(Window(source, offset, nbytes, path=source.path), offset=at, end=at + MOST_ROW)
        for (module, what), where in stream.imports.items():
            yield Observation(kind="import", value=f"{module} {what}", where=name, offset=where)
        for (module, what), where in stream.calls.items():
            yield Observation(kind="call", value=f"{module} {what}", where=name, offset=where)
        after = _behind(stream, name, Window(source, offset, nbytes, path=source.path))
        if after is None:
            return
        at = after


def _behind(stream: Stream, name: str, member: Source) -> int | None:
    """Where the next pickle begins behind this one's raw bytes; None where there is none."""
    if stream.error is not None:
        return None
    match name, stream.value:
        case "storages", (_, _, Global() as kind):
            size = dtypes()[dtype_aliases().get(kind.name, "U8")].block_bytes
            return stream.end + 8 + int.from_bytes(member.read(stream.end, 8), "little") * size
        case "tensors", (_, _, _):
            dimensions = int.from_bytes(member.read(stream.end, 4), "little")
            return stream.end + 16 + 16 * dimensions if dimensions <= MOST_DIMENSIONS else None
    return None


def _is_header(block: bytes) -> bool:
    """A tar header of a plain file of torch's, its checksum right."""
    if len(block) < _BLOCK or block[:100].rstrip(b"\0").decode("ascii", "replace").removeprefix("./") not in _OWN:
        return False
    stated = block[148:156].strip(b" \0")
    return stated.isdigit() and int(stated, 8) == sum(block) - sum(block[148:156]) + 8 * 0x20


def _walk(source: Source) -> Iterator[tuple[str, int, int]]:
    """Name, offset and size of each member, bounded; it ends at a block that is no header."""
    at = 0
    for _ in range(MOST_MEMBERS):
        block = source.read(at, _BLOCK)
        size = block[124:136].strip(b" \0")
        if len(block) < _BLOCK or not size or size.strip(b"01234567"):
            return
        nbytes = int(size, 8)
        yield block[:100].rstrip(b"\0").decode("utf-8", "replace").removeprefix("./"), at + _BLOCK, nbytes
        at += _BLOCK + -(-nbytes // _BLOCK) * _BLOCK


def _storages(member: Source, start: int) -> dict[str, _Storage]:
    """Each storage's place by its key, views of others included."""
    stream = _checked(run(member))
    found: dict[str, _Storage] = {}
    for _ in range(_count(stream, member)):
        stream = _checked(run(member, offset=stream.end, end=stream.end + MOST_ROW))
        match stream.value:
            case (int() | str() as key, _, Global() as kind):
                dtype = dtype_aliases().get(kind.name, "U8")
            case _:
                raise Malformed("torch.no_member", path=member.path, offset=start + stream.start, name="storages")
        cursor = Cursor(member, offset=stream.end)
        number = cursor.u64("numel")
        found[str(key)] = _Storage(dtype=dtype, offset=start + cursor.offset, num_elements=number)
        cursor.skip(number * dtypes()[dtype].block_bytes, "storage")
        stream.end = cursor.offset
    last = run(member, offset=stream.end)
    rows = last.value if last.error is None and isinstance(last.value, list) else []
    found |= dict(_shared(rows, found))
    return found


def _shared(rows: list[object], storages: Mapping[str, _Storage]) -> Iterator[tuple[str, _Storage]]:
    for row in rows:
        match row:
            case (int() | str() as key, int() | str() as root, int(offset), int(number)) if str(root) in storages:
                whole = storages[str(root)]
                place = whole.offset + offset * dtypes()[whole.dtype].block_bytes
                yield str(key), _Storage(dtype=whole.dtype, offset=place, num_elements=number)


def _views(member: Source, storages: Mapping[str, _Storage]) -> dict[str, TensorInfo]:
    """Each tensor by its key: dimensions, strides, and where in a storage it begins."""
    stream = _checked(run(member))
    found: dict[str, TensorInfo] = {}
    for _ in range(_count(stream, member)):
        stream = _checked(run(member, offset=stream.end, end=stream.end + MOST_ROW))
        cursor = Cursor(member, offset=stream.end)
        dimensions = cursor.u32("ndim")
        cursor.skip(4, "ndim")
        if dimensions > MOST_DIMENSIONS:
            raise Malformed("torch.rank", path=member.path, offset=cursor.offset, rank=dimensions)
        shape = tuple(cursor.u64("size") for _ in range(dimensions))
        cursor.skip(8 * dimensions, "stride")
        offset = cursor.u64("storage_offset")
        stream.end = cursor.offset
        match stream.value:
            case (int() | str() as key, int() | str() as storage, _) if str(storage) in storages:
                found[str(key)] = _view(str(key), shape, offset, str(storage), storages[str(storage)])
    return found


def _view(key: str, shape: tuple[int, ...], offset: int, name: str, storage: _Storage) -> TensorInfo:
    size = dtypes()[storage.dtype].block_bytes
    info = TensorInfo(name=key, dtype=storage.dtype, shape=shape)
    return TensorInfo(
        name=key,
        dtype=storage.dtype,
        shape=shape,
        nbytes=info.num_elements * size,
        offset=storage.offset + offset * size,
        storage=name,
    )


def _checked(stream: Stream) -> Stream:
    if stream.error is not None:
        raise stream.error
    return stream


def _count(stream: Stream, member: Source) -> int:
    number = stream.value if type(stream.value) is int and stream.value >= 0 else 0
    if number > MOST_OBJECTS:
        raise OverBudget("too_many", path=member.path, offset=0, what="storages", count=number, most=MOST_OBJECTS)
    return number


def _problems(source: Source, members: Mapping[str, Source], starts: Mapping[str, int]) -> Iterator[Problem]:
    if "tensors" not in members:  # torch refuses it; what the pickle says is told all the same
        yield Problem(kind="malformed", detail=Saying("error.torch.no_member", name="tensors"), offset=0)
    end = max(starts[name] + members[name].size for name in members)
    if end > source.size:
        detail = Saying("problem.truncated", missing=end - source.size, size=source.size)
        yield Problem(kind="truncated", detail=detail, offset=source.size)


FORMAT = Format(
    name="pytorch-tar",
    suffixes=(".pt", ".pth", ".tar"),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("storage_bytes",),
)
