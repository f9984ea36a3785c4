"""An HDF5 file's bytes by address, read in pages, within a budget of structures.

The layout is that of https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
"""

from __future__ import annotations

from weigh.codecs.cursor import Cursor
from weigh.core.errors import Malformed, OverBudget
from weigh.core.source import Source

PAGE_BITS = 12
MOST_PAGES = 4096  # 16 MiB held
MOST_STRUCTURES = 200_000


class Pages:
    """A Source that keeps the pages it has read: an HDF5 walk returns to the same few again and again."""

    __slots__ = ("_pages", "_source", "path", "size")

    def __init__(self, source: Source) -> None:
        self.path, self.size = source.path, source.size
        self._source = source
        self._pages: dict[int, bytes] = {}

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, fewer than `length` only at the end. Raises SourceError."""
        if offset < 0 or length <= 0:
            return b""
        first, last = offset >> PAGE_BITS, (offset + length - 1) >> PAGE_BITS
        start = offset - (first << PAGE_BITS)
        if first == last:
            return self._page(first)[start : start + length]
        if last - first > 16:
            return self._source.read(offset, length)
        return b"".join(map(self._page, range(first, last + 1)))[start : start + length]

    def _page(self, number: int) -> bytes:
        page = self._pages.get(number)
        if page is None:
            if len(self._pages) >= MOST_PAGES:
                self._pages.clear()
            page = self._pages[number] = self._source.read(number << PAGE_BITS, 1 << PAGE_BITS)
        return page


class File:
    """Where addresses count from (`base`) and how wide offsets and lengths are, as the superblock says."""

    __slots__ = (
        "base", "collections", "end", "extension", "length_size", "offset_size", "pages", "path", "root", "shared",
        "source", "spent", "version",
    )  # fmt: skip

    def __init__(self, source: Source, *, base: int, version: int) -> None:
        self.source, self.path = source, source.path
        self.pages = Pages(source)
        self.base, self.version = base, version
        self.offset_size = self.length_size = 8
        self.root = self.end = 0
        self.extension: int | None = None
        self.shared: dict[int, int] | None = None  # where messages of a type are kept, once it was asked
        self.collections: dict[int, dict[int, tuple[int, int]]] = {}  # of the global heap, those read last
        self.spent = 0

    def spend(self, number: int, address: int = 0) -> None:
        """So many structures more, or what takes as long: a KiB read, 16 letters kept. Raises OverBudget."""
        self.spent += number
        if self.spent > MOST_STRUCTURES:
            raise OverBudget("hdf5.structures", path=self.path, offset=self.base + address, most=MOST_STRUCTURES)

    def block(self, address: int, length: int) -> Cursor:
        """A walk through one structure, `length` bytes at the most; those that are not there are missed when read."""
        self.spend(1 + (min(length, self.pages.size) >> 10), address)
        start = self.base + address
        return Cursor(self.pages, offset=start, end=start + length)

    def signed(self, address: int, length: int, signature: bytes) -> Cursor:
        """The same for a structure that begins with a signature. Raises Malformed where it does not."""
        cursor = self.block(address, length)
        if cursor.bytes(len(signature), signature.decode()) != signature:
            raise Malformed(
                "hdf5.signature", path=self.path, offset=self.base + address, signature=signature.decode("latin-1")
            )
        return cursor

    def address(self, cursor: Cursor, what: str) -> int | None:
        """The next offset; None where it is the undefined address (all ones)."""
        data = cursor.bytes(self.offset_size, what)
        return None if data.count(255) == len(data) else int.from_bytes(data, "little")

    def length(self, cursor: Cursor, what: str) -> int:
        """The next length."""
        return int.from_bytes(cursor.bytes(self.length_size, what), "little")

    def malformed(self, key: str, address: int, **holes: str | int) -> Malformed:
        """An error at this address."""
        return Malformed(key, path=self.path, offset=self.base + address, **holes)


def number(cursor: Cursor, width: int, what: str) -> int:
    """An unsigned number of any width."""
    return int.from_bytes(cursor.bytes(width, what), "little")


def width_of(limit: int) -> int:
    """Bytes that a number up to `limit` takes in a B-tree or a heap."""
    return max(limit.bit_length() - 1, 0) // 8 + 1
