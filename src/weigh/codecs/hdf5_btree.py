"""B-trees of HDF5, version 2: their records, whatever they are of."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.hdf5_file import File, width_of
from weigh.core.value import Value

MOST_DEPTH = 16
MOST_NODE = 1 << 20
_OVERHEAD = 10  # signature, version, type and checksum of a node


class Tree(Value, frozen=True, kw_only=True):
    """The header: sizes in bytes, `num_records` those in the root node."""

    node_size: int
    record_size: int
    depth: int
    root: int | None
    num_records: int


def read_records(file: File, address: int) -> Iterator[bytes]:
    """Every record of the tree whose header is here. Raises FormatError."""
    tree = _tree(file, address)
    if tree.root is None or not tree.num_records:
        return
    widths = _widths(file, tree)
    pending = [(tree.root, tree.num_records, tree.depth)]
    seen: set[int] = set()
    while pending:
        node, count, depth = pending.pop()
        if node in seen:
            raise file.malformed("hdf5.loop", node, what="B-tree")
        seen.add(node)
        records, children = _node(file, tree, (node, count, depth), widths)
        yield from records
        pending += children


def _tree(file: File, address: int) -> Tree:
    cursor = file.signed(address, 64, b"BTHD")
    version = cursor.u8("B-tree version")
    cursor.skip(1, "B-tree type")
    node_size, record_size, depth = cursor.u32("node size"), cursor.u16("record size"), cursor.u16("depth")
    cursor.skip(2, "split and merge percent")
    root, count = file.address(cursor, "root node address"), cursor.u16("records in root node")
    if version != 0:
        raise file.malformed("hdf5.version", address, what="B-tree", version=version)
    if depth > MOST_DEPTH or not record_size or not _OVERHEAD + record_size <= node_size <= MOST_NODE:
        raise file.malformed("hdf5.level", address, level=depth)
    return Tree(node_size=node_size, record_size=record_size, depth=depth, root=root, num_records=count)


def _widths(file: File, tree: Tree) -> tuple[int, tuple[int, ...]]:
    """Bytes of a child's own number of records; of the number in all under a child of each depth."""
    most = (tree.node_size - _OVERHEAD) // tree.record_size
    own, under, widths = width_of(most), most, [0]
    for _ in range(tree.depth):
        pointer = file.offset_size + own + widths[-1]
        most = max(tree.node_size - _OVERHEAD - pointer, 0) // (tree.record_size + pointer)
        under = (most + 1) * under + most
        widths.append(width_of(under))
    return own, tuple(widths)


def _node(
    file: File, tree: Tree, place: tuple[int, int, int], widths: tuple[int, tuple[int, ...]]
) -> tuple[list[bytes], list[tuple[int, int, int]]]:
    address, count, depth = place
    cursor = file.signed(address, tree.node_size, b"BTIN" if depth else b"BTLF")
    cursor.skip(2, "node version and type")
    cursor.count(count, at_least=tree.record_size, what="records")
    file.spend(count >> 3, address)
    records = [cursor.bytes(tree.record_size, "record") for _ in range(count)]
    if depth == 0:
        return records, []
    own, under = widths
    children = []
    for _ in range(count + 1):
        child = file.address(cursor, "child node address")
        number = int.from_bytes(cursor.bytes(own, "records in child"), "little")
        cursor.skip(under[depth - 1], "records under child")
        if child is not None:
            children.append((child, number, depth - 1))
    return records, children
