"""An HDF5 file walked from its root: every group and dataset once, links out of the file noticed and never followed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from weigh.codecs.hdf5_btree import read_records
from weigh.codecs.hdf5_datasets import Dataset, read_dataset
from weigh.codecs.hdf5_file import File
from weigh.codecs.hdf5_fractal import object_in, read_heap
from weigh.codecs.hdf5_header import (
    DATASPACE,
    DATATYPE,
    GROUP_INFO,
    LAYOUT,
    LINK,
    LINK_INFO,
    SYMBOL_TABLE,
    Message,
    read_header,
)
from weigh.codecs.hdf5_links import Link, read_link
from weigh.codecs.hdf5_symbols import symbol_links
from weigh.core.errors import FormatError, OverBudget
from weigh.core.value import Value

MOST_OBJECTS = 50_000
MOST_PATH = 1 << 10
_LINK_HASH = 4  # bytes before the heap id in a record of link names


class Object(Value, frozen=True, kw_only=True):
    """`path` is without its leading slash, empty for the root; `dataset` is there for a dataset alone."""

    path: str
    kind: Literal["group", "dataset", "datatype"]
    messages: tuple[Message, ...]
    dataset: Dataset | None = None


class Contents(Value, frozen=True, kw_only=True):
    """What a walk came upon: links that are not hard ones by the path they have; errors that ended one object only."""

    objects: tuple[Object, ...]
    links: tuple[tuple[str, Link], ...]
    errors: tuple[FormatError, ...]

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """In the order of the walk."""
        return tuple(one.dataset for one in self.objects if one.dataset is not None)


def walk(file: File, *, most: int = MOST_OBJECTS) -> Contents:
    """Depth first, names in order, an object under its first name only; stops behind `most` objects if that is less.

    Raises FormatError where the root cannot be read, or for more than MOST_OBJECTS.
    """
    objects: list[Object] = []
    links: list[tuple[str, Link]] = []
    errors: list[FormatError] = []
    pending, seen = [("", file.root)], {file.root}
    while pending and len(objects) < most:
        path, address = pending.pop()
        if path and address in seen:
            continue
        seen.add(address)
        try:
            found, below = _object(file, path, address)
        except FormatError as error:
            if not objects or isinstance(error, OverBudget):
                raise
            errors.append(error)
            continue
        objects.append(found)
        names = [(_below(path, link.name), link) for link in sorted(below, key=lambda link: link.name, reverse=True)]
        pending += [(name, link.address) for name, link in names if link.address is not None]
        links += [(name, link) for name, link in reversed(names) if link.kind != "hard"]
    if pending and most >= MOST_OBJECTS:
        raise OverBudget("hdf5.structures", path=file.path, most=MOST_OBJECTS)
    return Contents(objects=tuple(objects), links=tuple(links), errors=tuple(errors))


def _below(path: str, name: str) -> str:
    joined = f"{path}/{name}" if path else name
    return joined if len(joined) <= MOST_PATH else joined[:MOST_PATH]


def _object(file: File, path: str, address: int) -> tuple[Object, list[Link]]:
    messages = read_header(file, address)
    types = {message.type for message in messages}
    if types >= {DATASPACE, DATATYPE, LAYOUT}:
        dataset = read_dataset(file, path, messages)
        return Object(path=path, kind="dataset", messages=messages, dataset=dataset), []
    if not types & {SYMBOL_TABLE, LINK_INFO, LINK, GROUP_INFO} and DATATYPE in types:
        return Object(path=path, kind="datatype", messages=messages), []
    return Object(path=path, kind="group", messages=messages), list(_links(file, messages))


def _links(file: File, messages: tuple[Message, ...]) -> Iterator[Link]:
    for message in messages:
        if message.type == SYMBOL_TABLE:
            cursor = file.block(message.address, message.nbytes)
            tree, heap = file.address(cursor, "B-tree address"), file.address(cursor, "local heap address")
            if tree is not None and heap is not None:
                yield from symbol_links(file, tree, heap)
        elif message.type == LINK:
            yield read_link(file, file.block(message.address, message.nbytes))
        elif message.type == LINK_INFO:
            yield from _dense(file, message)


def _dense(file: File, message: Message) -> Iterator[Link]:
    cursor = file.block(message.address, message.nbytes)
    cursor.skip(1, "link info version")
    flags = cursor.u8("link info flags")
    cursor.skip(8 * (flags & 1), "maximum creation index")
    address, tree = file.address(cursor, "fractal heap address"), file.address(cursor, "B-tree of link names")
    if address is None or tree is None:
        return
    heap = read_heap(file, address)
    for record in read_records(file, tree):
        found = object_in(file, heap, record[_LINK_HASH : _LINK_HASH + heap.id_size])
        if found is not None:
            yield read_link(file, found)
