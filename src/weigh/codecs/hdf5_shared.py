"""Messages of HDF5 that are kept elsewhere: a committed datatype in its own object, any message in the file's heap."""

from __future__ import annotations

from weigh.codecs.cursor import Cursor
from weigh.codecs.hdf5_file import File
from weigh.codecs.hdf5_fractal import object_in, read_heap
from weigh.codecs.hdf5_header import SHARED_TABLE, Message, read_header

MOST_INDEXES = 8

_IN_HEAP = 1
_ID_BYTES = 8


def content_of(file: File, message: Message) -> Cursor:
    """A walk through what the message says, wherever that is kept. Raises FormatError."""
    cursor = file.block(message.address, message.nbytes)
    return shared_content(file, cursor, message.type) if message.is_shared else cursor


def shared_content(file: File, cursor: Cursor, type: int) -> Cursor:
    """What the shared message that is encoded here leads to. Raises FormatError."""
    at = cursor.offset - file.base
    version, kind = cursor.u8("shared message version"), cursor.u8("shared message type")
    if version >= 3 and kind == _IN_HEAP:
        return in_heap(file, cursor.bytes(_ID_BYTES, "heap id"), type)
    cursor.skip(6 if version == 1 else 0, "reserved")
    address = file.address(cursor, "shared object header")
    if address is None:
        raise file.malformed("hdf5.shared", at)
    for message in read_header(file, address):
        if message.type == type and not message.is_shared:
            return file.block(message.address, message.nbytes)
    raise file.malformed("hdf5.shared", at)


def in_heap(file: File, id: bytes, type: int) -> Cursor:
    """The message of this type with this id, in the heap that the file keeps for such. Raises FormatError."""
    if file.shared is None:
        file.shared = _heaps(file)
    if type not in file.shared:
        raise file.malformed("hdf5.shared", file.root)
    found = object_in(file, read_heap(file, file.shared[type]), id)
    if found is None:
        raise file.malformed("hdf5.shared", file.root)
    return found


def _heaps(file: File) -> dict[int, int]:
    """The heap of each type of message that is shared, by the table that the superblock's extension names."""
    heaps: dict[int, int] = {}
    extension = () if file.extension is None else read_header(file, file.extension)
    for message in extension:
        if message.type == SHARED_TABLE:
            cursor = file.block(message.address, message.nbytes)
            cursor.skip(1, "version")
            address, count = file.address(cursor, "shared message table"), cursor.u8("number of indexes")
            if address is not None:
                heaps |= _table(file, address, min(count, MOST_INDEXES))
    return heaps


def _table(file: File, address: int, count: int) -> dict[int, int]:
    heaps: dict[int, int] = {}
    cursor = file.signed(address, 4 + count * (14 + 2 * file.offset_size), b"SMTB")
    for _ in range(count):
        cursor.skip(2, "index version and type")
        types = cursor.u16("message types")
        cursor.skip(10, "smallest size and bounds")
        file.address(cursor, "index address")
        heap = file.address(cursor, "fractal heap address")
        if heap is not None:
            heaps |= {type: heap for type in range(16) if types >> type & 1}
    return heaps
