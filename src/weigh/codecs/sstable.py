"""Sorted tables of keys and values, as LevelDB and TensorFlow's checkpoints keep them.

A footer of 48 bytes points to an index block, that to data blocks; keys share their beginnings with the one before
(https://github.com/google/leveldb/blob/main/doc/table_format.md).
"""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.snappy import unpack
from weigh.core.errors import Malformed, OverBudget, Truncated
from weigh.core.source import Source

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER = 48
MOST_BLOCK = 64 << 20  # one block as stored
MOST_BYTES = 192 << 20  # all blocks of one walk, unpacked
MOST_ENTRIES = 1_000_000
_TRAILER = 5  # how it is packed, and a checksum

Handle = tuple[int, int]  # offset and length of a block


def is_table(source: Source) -> bool:
    """Does the file end in a table's footer?"""
    return source.size > FOOTER and source.read(source.size - 8, 8) == MAGIC


def entries(source: Source) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values in their order. Raises FormatError."""
    if not is_table(source):
        raise Truncated("sstable.footer", path=source.path, offset=max(source.size - FOOTER, 0))
    footer = source.read(source.size - FOOTER, FOOTER)
    _, at = _handle(footer, 0, source)
    index, _ = _handle(footer, at, source)
    budget = [MOST_BYTES, MOST_ENTRIES]
    for _, pointer in _entries(_block(source, index, budget), index[0], source, budget):
        handle, _ = _handle(pointer, 0, source)
        yield from _entries(_block(source, handle, budget), handle[0], source, budget)


def _block(source: Source, handle: Handle, budget: list[int]) -> bytes:
    offset, length = handle
    if offset + length + _TRAILER > source.size - FOOTER:
        raise Malformed("sstable.block", path=source.path, offset=offset, length=length)
    if length > MOST_BLOCK:
        raise OverBudget("sstable.too_long", path=source.path, offset=offset, length=length, most=MOST_BLOCK)
    data = source.read(offset, length + 1)
    kind, content = data[length], data[:length]
    if kind > 1:
        raise Malformed("sstable.packing", path=source.path, offset=offset + length, kind=kind)
    if kind == 1:
        content = unpack(content, path=source.path, offset=offset)
    budget[0] -= len(content) + FOOTER
    if budget[0] < 0:
        raise OverBudget("sstable.too_much", path=source.path, offset=offset, most=MOST_BYTES)
    return content


def _entries(block: bytes, offset: int, source: Source, budget: list[int]) -> Iterator[tuple[bytes, bytes]]:
    """The entries of a block: up to the restart points at its end."""
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    if len(block) < 4 or end < 0:
        raise Malformed("sstable.entry", path=source.path, offset=offset)
    at, key = 0, b""
    while at < end:
        budget[1] -= 1
        if budget[1] < 0:
            raise OverBudget("sstable.entries", path=source.path, offset=offset, most=MOST_ENTRIES)
        try:
            shared, at = _varint(block, at)
            fresh, at = _varint(block, at)
            length, at = _varint(block, at)
        except IndexError as error:
            raise Malformed("sstable.entry", path=source.path, offset=offset) from error
        if shared > len(key) or at + fresh + length > end:
            raise Malformed("sstable.entry", path=source.path, offset=offset)
        key = key[:shared] + block[at : at + fresh]
        at += fresh + length
        yield key, block[at - length : at]


def _handle(data: bytes, at: int, source: Source) -> tuple[Handle, int]:
    try:
        offset, at = _varint(data, at)
        length, at = _varint(data, at)
    except IndexError as error:
        raise Malformed("sstable.footer", path=source.path, offset=source.size - FOOTER) from error
    return (offset, length), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Raises IndexError where it has no end."""
    value = 0
    for shift in range(0, 70, 7):
        value |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return value, at
    raise IndexError
