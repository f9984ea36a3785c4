"""Attributes of HDF5 objects, versions 1 to 3, beside the object or in a heap of their own."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator

from weigh.codecs.cursor import Cursor
from weigh.codecs.hdf5_btree import read_records
from weigh.codecs.hdf5_datatype import Datatype, read_datatype
from weigh.codecs.hdf5_file import File
from weigh.codecs.hdf5_fractal import object_in, read_heap
from weigh.codecs.hdf5_header import ATTRIBUTE, ATTRIBUTE_INFO, DATASPACE, DATATYPE, SHARED, Message
from weigh.codecs.hdf5_heaps import read_collection
from weigh.codecs.hdf5_messages import read_dataspace
from weigh.codecs.hdf5_shared import content_of, in_heap, shared_content
from weigh.core.errors import FormatError
from weigh.core.value import Value

MOST_VALUES = 100_000
MOST_TEXT = 32 << 20

Scalar = str | int | float | bool | bytes
_FLOATS = {"F16": "e", "F32": "f", "F64": "d"}


class Attribute(Value, frozen=True, kw_only=True):
    """`values` are its elements in a row, None where they are of a kind that is not taken apart here."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...] | None
    values: tuple[Scalar, ...] | None
    nbytes: int
    offset: int  # in the file


def read_attributes(file: File, messages: tuple[Message, ...]) -> Iterator[Attribute]:
    """Every attribute of the object with these messages; those beside it first. Raises FormatError."""
    for message in messages:
        if message.type == ATTRIBUTE:
            yield _attribute(file, content_of(file, message))
    for message in messages:
        if message.type == ATTRIBUTE_INFO:
            yield from _dense(file, message)


def _dense(file: File, message: Message) -> Iterator[Attribute]:
    cursor = file.block(message.address, message.nbytes)
    cursor.skip(1, "attribute info version")
    flags = cursor.u8("attribute info flags")
    cursor.skip(2 * (flags & 1), "maximum creation index")
    heap_at, tree = file.address(cursor, "fractal heap address"), file.address(cursor, "B-tree of attribute names")
    if heap_at is None or tree is None:
        return
    heap = read_heap(file, heap_at)
    for record in read_records(file, tree):
        id, kept = record[: heap.id_size], record[heap.id_size : heap.id_size + 1]
        if kept and kept[0] & SHARED:
            yield _attribute(file, in_heap(file, id, ATTRIBUTE))
        elif (found := object_in(file, heap, id)) is not None:
            yield _attribute(file, found)


def _attribute(file: File, cursor: Cursor) -> Attribute:
    at = cursor.offset - file.base
    version, flags = cursor.u8("attribute version"), cursor.u8("attribute flags")
    if not 1 <= version <= 3:
        raise file.malformed("hdf5.version", at, what="attribute", version=version)
    name_size, type_size, space_size = (cursor.u16(f"size of attribute {part}") for part in ("name", "type", "space"))
    cursor.skip(version == 3, "character set of the name")
    step = 8 if version == 1 else 1
    name = cursor.bytes(-(-name_size // step) * step, "attribute name").partition(b"\0")[0]
    start = cursor.offset
    part = Cursor(file.pages, offset=start, end=start + type_size)
    datatype = read_datatype(shared_content(file, part, DATATYPE) if version > 1 and flags & 1 else part)
    start += -(-type_size // step) * step
    part = Cursor(file.pages, offset=start, end=start + space_size)
    part = shared_content(file, part, DATASPACE) if version > 1 and flags & 2 else part
    shape = read_dataspace(part, file.length_size) if space_size else None
    cursor.skip(start + -(-space_size // step) * step - cursor.offset, "attribute datatype and dataspace")
    nbytes = 0 if shape is None else math.prod(shape) * datatype.size
    return Attribute(
        name=name.decode("utf-8", "backslashreplace"),
        datatype=datatype,
        shape=shape,
        values=_values(file, cursor, datatype, 0 if shape is None else math.prod(shape)),
        nbytes=min(nbytes, cursor.left),
        offset=cursor.offset,
    )


def _values(file: File, cursor: Cursor, datatype: Datatype, count: int) -> tuple[Scalar, ...] | None:
    if datatype.kind not in ("integer", "float", "string", "text", "enum", "opaque", "bits") or not datatype.size:
        return None
    cursor.count(count, at_least=datatype.size, what="attribute elements")
    file.spend(count >> 4)
    if count > MOST_VALUES:
        return None
    data = Cursor(file.pages, offset=cursor.offset, end=cursor.offset + count * datatype.size)
    if datatype.kind == "text":
        return read_texts(file, data, count)
    return tuple(_value(datatype, data.bytes(datatype.size, "attribute")) for _ in range(count))


def _value(datatype: Datatype, data: bytes) -> Scalar:
    if datatype.kind == "string":
        return data.rstrip(b"\0").decode("utf-8", "backslashreplace")
    if datatype.kind == "opaque":
        return data
    order = ">" if datatype.big else "<"
    if datatype.kind == "float":
        code = _FLOATS.get(datatype.dtype)
        return data if code is None else float(struct.unpack(order + code, data)[0])
    whole = int.from_bytes(data, "big" if datatype.big else "little", signed=bool(datatype.signed))
    return bool(whole) if datatype.dtype == "BOOL" else whole


def read_texts(file: File, cursor: Cursor, count: int) -> tuple[str, ...]:
    """So many strings of variable length, which are kept in the global heap. Raises FormatError."""
    return tuple(
        "" if held is None else held.text(held.left, "string").rstrip("\0")
        for held in read_lists(file, cursor, count, 1)
    )


def read_lists(file: File, cursor: Cursor, count: int, size: int) -> Iterator[Cursor | None]:
    """A walk through each of so many lists of elements of `size` bytes; None for an empty one. Raises FormatError."""
    for _ in range(count):
        length = cursor.u32("number of elements") * size
        address, index = file.address(cursor, "global heap address"), cursor.u32("global heap index")
        if not length or not address:
            yield None
            continue
        start, there = read_collection(file, address).get(index, (None, 0))
        if start is None or length > there or length > MOST_TEXT:
            raise file.malformed("hdf5.heap", address, at=index, size=there)
        file.spend(length >> 8, address)
        yield file.block(start, length)


def whole_attributes(file: File, messages: tuple[Message, ...]) -> tuple[dict[str, Attribute], FormatError | None]:
    """All attributes by name up to the one that breaks off, and its error."""
    found: dict[str, Attribute] = {}
    try:
        for attribute in read_attributes(file, messages):
            found.setdefault(attribute.name, attribute)
    except FormatError as error:
        return found, error
    return found, None
