"""Fractal heaps of HDF5: what many links or large attributes are kept in."""

from __future__ import annotations

from weigh.codecs.cursor import Cursor
from weigh.codecs.hdf5_btree import read_records
from weigh.codecs.hdf5_file import File, width_of
from weigh.core.errors import OverBudget
from weigh.core.value import Value

MOST_ROWS = 64
MOST_WIDTH = 1024
MOST_DEPTH = 16
MOST_OBJECT = 16 << 20


class Heap(Value, frozen=True, kw_only=True):
    """The header; `offset_width` and `length_width` are those of the numbers in an object's id."""

    address: int
    id_size: int
    is_filtered: bool
    huge: int | None
    width: int
    start: int
    largest: int
    offset_width: int
    length_width: int
    root: int | None
    rows: int


def read_heap(file: File, address: int) -> Heap:
    """The heap whose header is here. Raises FormatError."""
    cursor = file.signed(address, 256, b"FRHP")
    version, id_size, filters = cursor.u8("heap version"), cursor.u16("heap id length"), cursor.u16("filter length")
    cursor.skip(1, "heap flags")
    managed = cursor.u32("maximum size of managed objects")
    file.length(cursor, "next huge id")
    huge = file.address(cursor, "B-tree of huge objects")
    cursor.skip(file.length_size + file.offset_size + 8 * file.length_size, "heap statistics")
    width, start = cursor.u16("table width"), file.length(cursor, "starting block size")
    largest, bits = file.length(cursor, "maximum direct block size"), cursor.u16("maximum heap size")
    cursor.skip(2, "starting rows")
    root, rows = file.address(cursor, "root block address"), cursor.u16("rows in root indirect block")
    if version != 0 or not 0 < width <= MOST_WIDTH or rows > MOST_ROWS or bits > 64 or start < 1 or largest < start:
        raise file.malformed("hdf5.fractal", address)
    return Heap(
        address=address,
        id_size=id_size,
        is_filtered=filters > 0,
        huge=huge,
        width=width,
        start=start,
        largest=largest,
        offset_width=-(-bits // 8),
        length_width=min((largest.bit_length() + 6) // 8, width_of(managed)),
        root=root,
        rows=rows,
    )


def object_in(file: File, heap: Heap, id: bytes) -> Cursor | None:
    """A walk through the object with this id; None if it is not there. Raises FormatError."""
    if len(id) < heap.id_size or not id:
        raise file.malformed("hdf5.fractal", heap.address)
    kind = id[0] >> 4 & 3
    if heap.is_filtered:
        raise OverBudget("hdf5.filtered_heap", path=file.path, offset=file.base + heap.address)
    if kind == 1:
        return _huge(file, heap, id)
    if kind == 2:
        return None  # in the id itself, and shorter than any link or attribute
    end = 1 + heap.offset_width
    offset = int.from_bytes(id[1:end], "little")
    length = int.from_bytes(id[end : end + heap.length_width], "little")
    return file.block(_place(file, heap, offset), length)


def _huge(file: File, heap: Heap, id: bytes) -> Cursor | None:
    wide = file.offset_size + file.length_size
    if len(id) > wide:
        return _object(
            file, int.from_bytes(id[1 : 1 + file.offset_size], "little"), id[1 + file.offset_size : 1 + wide]
        )
    if heap.huge is None:
        return None
    wanted = int.from_bytes(id[1:], "little")
    for record in read_records(file, heap.huge):
        if len(record) == wide + file.length_size and int.from_bytes(record[wide:], "little") == wanted:
            return _object(file, int.from_bytes(record[: file.offset_size], "little"), record[file.offset_size : wide])
    return None


def _object(file: File, address: int, length: bytes) -> Cursor:
    nbytes = int.from_bytes(length, "little")
    if nbytes > MOST_OBJECT:
        raise OverBudget(
            "too_long", path=file.path, offset=file.base + address, what="object", length=nbytes, most=MOST_OBJECT
        )
    return file.block(address, nbytes)


def _place(file: File, heap: Heap, offset: int) -> int:
    """The address of the byte at this offset of the heap: down through indirect blocks to the direct one."""
    block, rows, base = heap.root, heap.rows, 0
    for _ in range(MOST_DEPTH):
        if block is None:
            break
        if rows == 0:
            return block + offset - base
        row, column, size, before = _row(file, heap, offset - base)
        if row >= rows:
            break
        block, rows = _child(file, heap, (block, rows), (row, column, size))
        base += before
    raise file.malformed("hdf5.heap", heap.address, at=offset, size=heap.largest)


def _row(file: File, heap: Heap, offset: int) -> tuple[int, int, int, int]:
    """Row and column of the block that holds this offset of an indirect block, its size, and what lies before it."""
    before = 0
    for row in range(MOST_ROWS):
        size = heap.start << max(row - 1, 0)
        if offset < before + size * heap.width:
            column = (offset - before) // size
            return row, column, size, before + column * size
        before += size * heap.width
    raise file.malformed("hdf5.heap", heap.address, at=offset, size=before)


def _child(file: File, heap: Heap, block: tuple[int, int], place: tuple[int, int, int]) -> tuple[int | None, int]:
    """The block there, and how many rows it has if it is an indirect one."""
    (address, rows), (row, column, size) = block, place
    index = row * heap.width + column
    start = 5 + file.offset_size + heap.offset_width
    length = start + rows * heap.width * file.offset_size
    cursor = file.signed(address, length, b"FHIB")
    cursor.skip(start - 4 + index * file.offset_size, "indirect block header")
    child = file.address(cursor, "child block address")
    if size <= heap.largest:
        return child, 0
    return child, (size // (heap.start * heap.width)).bit_length()
