"""What a dataset's messages say: its dataspace, its layout, its filters, the files it is kept in."""

from __future__ import annotations

import math
from typing import Literal

from weigh.codecs.cursor import Cursor
from weigh.codecs.hdf5_file import File, number
from weigh.codecs.hdf5_header import Message
from weigh.core.errors import Malformed, OverBudget
from weigh.core.value import Value

MOST_RANK = 32
MOST_FILTERS = 32
MOST_FILES = 1000
MOST_ELEMENTS = 1 << 63
_KINDS: tuple[Literal["compact", "contiguous", "chunked", "virtual"], ...] = (
    "compact", "contiguous", "chunked", "virtual",
)  # fmt: skip


class Layout(Value, frozen=True, kw_only=True):
    """`address` is where the bytes or their index are, None where none were written yet; `nbytes` None if unsaid.

    `index` is the kind of chunk index: 0 the B-tree of version 1, 1 a single chunk, 2 all in a row, 3 to 5 newer trees.
    """

    kind: Literal["compact", "contiguous", "chunked", "virtual"]
    address: int | None
    nbytes: int | None = None
    chunk: tuple[int, ...] = ()
    index: int | None = None


def read_dataspace(cursor: Cursor, width: int) -> tuple[int, ...] | None:
    """The shape; None for a null dataspace, which holds nothing. Raises FormatError."""
    at = cursor.offset
    version, rank, flags = cursor.u8("dataspace version"), cursor.u8("dimensionality"), cursor.u8("dataspace flags")
    kind = cursor.u8("dataspace type")
    if version not in (1, 2):
        raise Malformed("hdf5.version", path=cursor.source.path, offset=at, what="dataspace", version=version)
    if rank > MOST_RANK:
        raise Malformed("hdf5.rank", path=cursor.source.path, offset=at, rank=rank)
    if version == 1:
        cursor.skip(4, "reserved")
    shape = tuple(number(cursor, width, "dimension size") for _ in range(rank))
    if math.prod(shape) >= MOST_ELEMENTS:
        raise Malformed("hdf5.shape", path=cursor.source.path, offset=at)
    cursor.skip(rank * width if flags & 1 and cursor.left >= rank * width else 0, "maximum dimension sizes")
    return None if version == 2 and kind == 2 else shape


def read_layout(file: File, message: Message) -> Layout:
    """Where the elements are. Raises FormatError."""
    cursor = file.block(message.address, message.nbytes)
    version = cursor.u8("layout version")
    if not 1 <= version <= 5:
        raise file.malformed("hdf5.version", message.address, what="data layout", version=version)
    if version < 3:
        return _old_layout(file, cursor)
    kind = _kind(cursor)
    match kind:
        case "compact":
            nbytes = cursor.u16("compact size")
            return Layout(kind=kind, address=cursor.offset - file.base, nbytes=nbytes)
        case "contiguous":
            return Layout(
                kind=kind, address=file.address(cursor, "data address"), nbytes=file.length(cursor, "data size")
            )
        case "virtual":
            return Layout(kind=kind, address=file.address(cursor, "global heap address"), index=cursor.u32("index"))
    if version == 3:
        rank = _rank(cursor)
        address = file.address(cursor, "chunk B-tree address")
        chunk = tuple(cursor.u32("chunk dimension") for _ in range(rank))
        return Layout(kind=kind, address=address, chunk=chunk, index=0)
    return _chunked(file, cursor)


def _old_layout(file: File, cursor: Cursor) -> Layout:
    rank = _rank(cursor)
    kind = _kind(cursor)
    cursor.skip(5, "reserved")
    address = file.address(cursor, "data address") if kind != "compact" else None
    lengths = tuple(cursor.u32("layout dimension") for _ in range(rank))
    if kind == "compact":
        nbytes = cursor.u32("compact size")
        return Layout(kind=kind, address=cursor.offset - file.base, nbytes=nbytes)
    return Layout(kind=kind, address=address, chunk=lengths, index=0)


def _chunked(file: File, cursor: Cursor) -> Layout:
    flags = cursor.u8("chunk flags")
    rank, width = _rank(cursor), cursor.u8("dimension size encoded length")
    chunk = tuple(number(cursor, min(width, 8), "chunk dimension") for _ in range(rank))
    index = cursor.u8("chunk indexing type")
    nbytes = None
    if index == 1 and flags & 2:
        nbytes = file.length(cursor, "filtered chunk size")
        cursor.skip(4, "filter mask")
    else:
        cursor.skip({3: 1, 4: 5, 5: 6}.get(index, 0), "index parameters")
    return Layout(
        kind="chunked", address=file.address(cursor, "chunk index address"), nbytes=nbytes, chunk=chunk, index=index
    )


def _rank(cursor: Cursor) -> int:
    rank = cursor.u8("layout dimensionality")
    if rank > MOST_RANK + 1:
        raise Malformed("hdf5.rank", path=cursor.source.path, offset=cursor.offset - 1, rank=rank)
    return rank


def _kind(cursor: Cursor) -> Literal["compact", "contiguous", "chunked", "virtual"]:
    number = cursor.u8("layout class")
    if number >= len(_KINDS):
        raise Malformed("hdf5.class", path=cursor.source.path, offset=cursor.offset - 1, number=number)
    return _KINDS[number]


def read_filters(cursor: Cursor) -> tuple[int, ...]:
    """The identifiers of the filters each chunk went through (1 is deflate, 32001 blosc). Raises FormatError."""
    at = cursor.offset
    version, count = cursor.u8("filter pipeline version"), cursor.u8("number of filters")
    if version not in (1, 2) or count > MOST_FILTERS:
        raise Malformed("hdf5.version", path=cursor.source.path, offset=at, what="filter pipeline", version=version)
    cursor.skip(6 if version == 1 else 0, "reserved")
    return tuple(_filter(cursor, version) for _ in range(count))


def _filter(cursor: Cursor, version: int) -> int:
    id = cursor.u16("filter identification value")
    named = cursor.u16("filter name length") if version == 1 or id >= 256 else 0
    cursor.skip(2, "filter flags")
    values = cursor.u16("number of client data values")
    cursor.skip((-(-named // 8) * 8 if version == 1 else named) + 4 * values, "filter name and client data")
    cursor.skip(4 if version == 1 and values % 2 else 0, "padding")
    return id


def read_external(file: File, message: Message) -> tuple[int | None, tuple[int, ...]]:
    """The local heap of the names of the files that hold the data, and where in it each name is."""
    cursor = file.block(message.address, message.nbytes)
    cursor.skip(4, "external file list version")
    cursor.skip(2, "allocated slots")
    count = cursor.u16("used slots")
    heap = file.address(cursor, "local heap address")
    cursor.count(count, at_least=3 * file.length_size, what="used slots")
    if count > MOST_FILES:
        raise OverBudget("too_many", path=file.path, offset=cursor.offset, what="slots", count=count, most=MOST_FILES)
    offsets = []
    for _ in range(count):
        offsets.append(file.length(cursor, "name offset"))
        cursor.skip(2 * file.length_size, "offset and size in the file")
    return heap, tuple(offsets)
