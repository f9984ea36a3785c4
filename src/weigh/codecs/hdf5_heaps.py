"""The local heaps (names of a group) and global heaps (content of variable length) of HDF5."""

from __future__ import annotations

from weigh.codecs.hdf5_file import File
from weigh.core.errors import OverBudget
from weigh.core.value import Value

MOST_HEAP = 16 << 20
MOST_OBJECTS = 65_536
MOST_COLLECTIONS = 64
MOST_NAME = 1 << 12


class LocalHeap(Value, frozen=True, kw_only=True):
    """The segment that holds a group's names, each up to its zero."""

    address: int
    data: bytes

    def name(self, file: File, offset: int) -> str:
        """The name there. Raises FormatError."""
        end = self.data.find(b"\0", offset)
        if offset >= len(self.data) or end < 0 or end - offset > MOST_NAME:
            raise file.malformed("hdf5.heap", self.address, at=offset, size=len(self.data))
        file.spend(end - offset >> 4, self.address)
        return self.data[offset:end].decode("utf-8", "backslashreplace")


def read_local_heap(file: File, address: int) -> LocalHeap:
    """The heap whose header is here. Raises FormatError."""
    cursor = file.signed(address, 8 + 3 * 8, b"HEAP")
    cursor.skip(4, "local heap version")
    size = file.length(cursor, "data segment size")
    file.length(cursor, "free list head")
    start = file.address(cursor, "data segment address")
    _check(file, address, size)
    if start is None:
        raise file.malformed("hdf5.heap", address, at=0, size=size)
    return LocalHeap(address=start, data=file.block(start, size).bytes(size, "data segment"))


def read_collection(file: File, address: int) -> dict[int, tuple[int, int]]:
    """The objects of a global heap collection: address and length by index. Raises FormatError."""
    found = file.collections.get(address)
    if found is None:
        if len(file.collections) >= MOST_COLLECTIONS:
            file.collections.clear()
        found = file.collections[address] = _collection(file, address)
    return found


def _collection(file: File, address: int) -> dict[int, tuple[int, int]]:
    cursor = file.signed(address, 8 + 8, b"GCOL")
    cursor.skip(4, "global heap version")
    size = file.length(cursor, "collection size")
    _check(file, address, size)
    cursor = file.block(address, size)
    cursor.skip(8 + file.length_size, "collection header")
    found: dict[int, tuple[int, int]] = {}
    while cursor.left >= 8 + file.length_size and len(found) < MOST_OBJECTS:
        index = cursor.u16("heap object index")
        cursor.skip(6, "reference count")
        length = file.length(cursor, "heap object size")
        if index == 0:  # the space that is free
            break
        found.setdefault(index, (cursor.offset - file.base, length))
        cursor.skip(min(-(-length // 8) * 8, cursor.left), "heap object")
    file.spend(len(found) >> 2, address)
    return found


def _check(file: File, address: int, size: int) -> None:
    if size > MOST_HEAP:
        raise OverBudget(
            "too_long", path=file.path, offset=file.base + address, what="heap", length=size, most=MOST_HEAP
        )
