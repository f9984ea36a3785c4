"""The superblock of an HDF5 file: versions 0 to 3, at the start or behind a user block."""

from __future__ import annotations

from weigh.codecs.cursor import Cursor
from weigh.codecs.hdf5_file import File
from weigh.core.errors import Malformed
from weigh.core.source import Source
from weigh.sources.distant import distant

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MOST_USER_BLOCK = 1 << 30
MOST_FROM_AFAR = 1 << 15
_WIDTHS = (2, 4, 8)


def find_superblock(source: Source) -> int | None:
    """Where the signature stands: at 0, 512, 1024, 2048 and so on; not far into a file where each look is a request."""
    at = 0
    most = MOST_USER_BLOCK if distant(source) is None else MOST_FROM_AFAR
    while at <= min(source.size - len(SIGNATURE), most):
        if source.read(at, len(SIGNATURE)) == SIGNATURE:
            return at
        at = max(512, at * 2)
    return None


def open_hdf5(source: Source) -> File:
    """The file with its widths, its root and its end. Raises FormatError."""
    at = find_superblock(source)
    if at is None:
        raise Malformed("hdf5.signature", path=source.path, offset=0, signature="HDF")
    cursor = Cursor(source, offset=at + len(SIGNATURE), end=at + 256)
    version = cursor.u8("superblock version")
    file = File(source, base=at, version=version)
    if version > 3:
        raise Malformed("hdf5.version", path=source.path, offset=at + 8, what="superblock", version=version)
    if version >= 2:
        _new(file, cursor)
    else:
        _old(file, cursor)
    return file


def _old(file: File, cursor: Cursor) -> None:
    cursor.skip(4, "versions")
    _widths(file, cursor)
    cursor.skip(9 if file.version == 0 else 13, "group node sizes and flags")
    file.address(cursor, "base address")
    file.address(cursor, "free space address")
    _end(file, cursor)
    file.address(cursor, "driver information address")
    file.address(cursor, "link name offset")
    _root(file, cursor)


def _new(file: File, cursor: Cursor) -> None:
    _widths(file, cursor)
    cursor.skip(1, "file consistency flags")
    file.address(cursor, "base address")
    file.extension = file.address(cursor, "superblock extension address")
    _end(file, cursor)
    _root(file, cursor)


def _widths(file: File, cursor: Cursor) -> None:
    file.offset_size, file.length_size = cursor.u8("size of offsets"), cursor.u8("size of lengths")
    if file.offset_size not in _WIDTHS or file.length_size not in _WIDTHS:
        raise Malformed("hdf5.widths", path=file.path, offset=cursor.offset - 2)


def _end(file: File, cursor: Cursor) -> None:
    """The end is counted from the base, whatever the file says its base is."""
    file.end = file.address(cursor, "end of file address") or 0


def _root(file: File, cursor: Cursor) -> None:
    root = file.address(cursor, "root group object header address")
    if root is None:
        raise Malformed("hdf5.no_root", path=file.path, offset=cursor.offset - file.offset_size)
    file.root = root
