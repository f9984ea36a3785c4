"""Object headers of HDF5, versions 1 and 2: their messages, through every continuation."""

from __future__ import annotations

import struct

from weigh.codecs.cursor import Cursor
from weigh.codecs.hdf5_file import File, number
from weigh.core.errors import OverBudget
from weigh.core.value import Value

NIL, DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL, LAYOUT = 0, 1, 2, 3, 6, 7, 8
GROUP_INFO, FILTERS, ATTRIBUTE, CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = 10, 11, 12, 16, 17, 21
SHARED_TABLE = 15
SHARED = 0x02

MOST_MESSAGES = 20_000
MOST_HEADER = 16 << 20

_OLD = struct.Struct("<HHB3x")
_NEW = struct.Struct("<BHB")
_ORDERED = struct.Struct("<BHB2x")  # the same with a creation order


class Message(Value, frozen=True, kw_only=True):
    """`address` is that of its content, `nbytes` its length."""

    type: int
    flags: int
    address: int
    nbytes: int

    @property
    def is_shared(self) -> bool:
        """Its content is kept elsewhere."""
        return bool(self.flags & SHARED)


def read_header(file: File, address: int) -> tuple[Message, ...]:
    """Every message of the object whose header is here. Raises FormatError."""
    cursor = file.block(address, 64)
    start = cursor.bytes(4, "object header")
    if start == b"OHDR":
        layout, first, length = _new(file, cursor, address)
    elif start[0] == 1:
        layout, first, length = _OLD, address + 16, _old(cursor)
    else:
        raise file.malformed("hdf5.signature", address, signature="OHDR")
    return _walk(file, layout, first, length)


def _old(cursor: Cursor) -> int:
    cursor.skip(4, "object reference count")
    return cursor.u32("object header size")


def _new(file: File, cursor: Cursor, address: int) -> tuple[struct.Struct, int, int]:
    version, flags = cursor.u8("object header version"), cursor.u8("object header flags")
    if version != 2:
        raise file.malformed("hdf5.version", address, what="object header", version=version)
    cursor.skip(16 * (flags >> 5 & 1) + 4 * (flags >> 4 & 1), "times and attribute bounds")
    length = number(cursor, 1 << (flags & 3), "size of chunk 0")
    return _ORDERED if flags & 4 else _NEW, cursor.offset - file.base, length


def _walk(file: File, layout: struct.Struct, start: int, length: int) -> tuple[Message, ...]:
    messages: list[Message] = []
    pending, seen = [(start, length)], {start}
    while pending:
        start, length = pending.pop(0)
        if length > MOST_HEADER:
            raise OverBudget(
                "too_long", path=file.path, offset=file.base + start, what="header", length=length, most=MOST_HEADER
            )
        found = _messages(file, layout, start, length)
        messages += found
        if len(messages) > MOST_MESSAGES:
            raise OverBudget("hdf5.structures", path=file.path, offset=file.base + start, most=MOST_MESSAGES)
        for message in found:
            if message.type == CONTINUATION:
                more = _continuation(file, layout, message)
                if more[0] in seen:
                    raise file.malformed("hdf5.loop", message.address, what="object header continuation")
                seen.add(more[0])
                pending.append(more)
    return tuple(messages)


def _messages(file: File, layout: struct.Struct, start: int, length: int) -> list[Message]:
    data = file.block(start, length).bytes(length, "object header messages")
    found: list[Message] = []
    at, last = 0, length - layout.size
    while at <= last:
        kind, nbytes, flags = layout.unpack_from(data, at)
        at += layout.size
        if nbytes > length - at:
            raise file.malformed("hdf5.message", start + at, type=kind, nbytes=nbytes)
        if kind != NIL:
            found.append(Message(type=kind, flags=flags, address=start + at, nbytes=nbytes))
        at += nbytes
    file.spend(len(found) >> 3, start)
    return found


def _continuation(file: File, layout: struct.Struct, message: Message) -> tuple[int, int]:
    cursor = file.block(message.address, message.nbytes)
    address, length = file.address(cursor, "continuation offset"), file.length(cursor, "continuation length")
    if address is None:
        raise file.malformed("hdf5.message", message.address, type=CONTINUATION, nbytes=message.nbytes)
    if layout is _OLD:
        return address, length
    file.signed(address, 4, b"OCHK")
    return address + 4, max(length - 8, 0)  # without signature and checksum
