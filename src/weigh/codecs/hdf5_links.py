"""Links of HDF5: what a name in a group stands for, inside the file or out of it."""

from __future__ import annotations

from typing import Literal

from weigh.codecs.cursor import Cursor
from weigh.codecs.hdf5_file import File, number
from weigh.core.value import Value

_SOFT, _EXTERNAL = 1, 64


class Link(Value, frozen=True, kw_only=True):
    """A hard link has the address of its object; a soft one a path in this file, an external one a file and a path."""

    name: str
    kind: Literal["hard", "soft", "external", "user"]
    address: int | None = None
    target: str | None = None
    file: str | None = None


def read_link(file: File, cursor: Cursor) -> Link:
    """The link message that is encoded here. Raises FormatError."""
    at = cursor.offset - file.base
    version, flags = cursor.u8("link version"), cursor.u8("link flags")
    if version != 1:
        raise file.malformed("hdf5.version", at, what="link", version=version)
    kind = cursor.u8("link type") if flags & 8 else 0
    cursor.skip(8 * (flags >> 2 & 1) + (flags >> 4 & 1), "creation order and character set")
    length = number(cursor, 1 << (flags & 3), "length of link name")
    file.spend(length >> 4, at)
    name = cursor.text(length, "link name")
    if kind == 0:
        return Link(name=name, kind="hard", address=file.address(cursor, f"object header of {name}"))
    value = cursor.bytes(cursor.u16("length of link value"), "link value")
    if kind == _SOFT:
        return Link(name=name, kind="soft", target=_text(value))
    if kind == _EXTERNAL:
        outside, _, target = value[1:].partition(b"\0")
        return Link(name=name, kind="external", file=_text(outside), target=_text(target.rstrip(b"\0")))
    return Link(name=name, kind="user", target=_text(value))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
