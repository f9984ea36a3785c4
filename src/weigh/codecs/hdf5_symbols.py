"""Groups of HDF5 as they were first kept: a B-tree of version 1 over symbol table nodes, names in a local heap."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from weigh.codecs.hdf5_file import File
from weigh.codecs.hdf5_heaps import LocalHeap, read_local_heap
from weigh.codecs.hdf5_links import Link

GROUP_NODE, CHUNK_NODE = 0, 1
MOST_LEVEL = 16
_SOFT = 2


def symbol_links(file: File, tree: int, heap: int) -> Iterator[Link]:
    """Every link of the group. Raises FormatError."""
    names = read_local_heap(file, heap)
    for _, node in entries(file, tree, GROUP_NODE, file.length_size):
        yield from _symbols(file, node, names)


def entries(file: File, root: int, kind: int, key: int) -> Iterator[tuple[bytes, int]]:
    """The children of the lowest nodes, each with the key before it, of so many bytes. Raises FormatError."""
    pending: list[tuple[int, int | None]] = [(root, None)]
    seen: set[int] = set()
    while pending:
        address, above = pending.pop()
        if address in seen:
            raise file.malformed("hdf5.loop", address, what="B-tree")
        seen.add(address)
        level, children = _node(file, address, kind, key)
        if level > MOST_LEVEL or (above is not None and level != above - 1):
            raise file.malformed("hdf5.level", address, level=level)
        if level == 0:
            yield from children
        else:
            pending += [(child, level) for _, child in reversed(children)]


def _node(file: File, address: int, kind: int, key: int) -> tuple[int, list[tuple[bytes, int]]]:
    cursor = file.signed(address, 8, b"TREE")
    found, level, count = cursor.u8("node type"), cursor.u8("node level"), cursor.u16("entries used")
    if found != kind:
        raise file.malformed("hdf5.node", address, number=found)
    step = key + file.offset_size
    start = 8 + 2 * file.offset_size
    data = file.block(address, start + count * step).bytes(start + count * step, "B-tree node")
    file.spend(count >> 3, address)
    places = range(start, len(data), step)
    return level, [(data[at : at + key], int.from_bytes(data[at + key : at + step], "little")) for at in places]


def _symbols(file: File, address: int, names: LocalHeap) -> Iterator[Link]:
    cursor = file.signed(address, 8, b"SNOD")
    cursor.skip(2, "symbol table node version")
    count = cursor.u16("number of symbols")
    width = file.offset_size
    step = 2 * width + 24
    data = file.block(address + 8, count * step).bytes(count * step, "symbol table node")
    file.spend(count >> 2, address)
    for at in range(0, len(data), step):
        name = names.name(file, int.from_bytes(data[at : at + width], "little"))
        cached, _, value = struct.unpack_from("<III", data, at + 2 * width)
        if cached == _SOFT:
            yield Link(name=name, kind="soft", target=names.name(file, value))
        else:
            yield Link(name=name, kind="hard", address=int.from_bytes(data[at + width : at + 2 * width], "little"))
