"""What in an HDF5 file leads out of it or hides in it: links, external storage, virtual datasets, files in bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from weigh.codecs.cursor import Cursor
from weigh.codecs.embedded import SHORTEST_BASE64, Inside
from weigh.codecs.hdf5_account import Account
from weigh.codecs.hdf5_attributes import Attribute, read_lists, whole_attributes
from weigh.codecs.hdf5_datasets import Dataset
from weigh.codecs.hdf5_file import File
from weigh.codecs.hdf5_heaps import read_collection
from weigh.codecs.hdf5_symbols import CHUNK_NODE, entries
from weigh.codecs.zip import Window
from weigh.core.errors import FormatError, OverBudget
from weigh.core.observation import Observation
from weigh.core.source import Source

MOST_TEXTS = 10_000  # strings and lists of datasets that are looked at
MOST_TEXT = 1 << 20
MOST_MAPPING = 1 << 20

_BYTES = ("OPAQUE", "STRING", "U8", "I8")
_MAPPING = re.compile(rb"([^\0-\x1f]{1,1024})\0[^\0-\x1f]{1,1024}\0(?=[\0-\3]\0{3})")  # file, dataset, a selection
_HERE = b"."  # as the name of a file: this one


def observe_hdf5(source: Source, account: Account, inside: Inside) -> Iterator[Observation]:
    """Everything of that kind. Raises FormatError after what was seen."""
    yield from _around(source, account, inside)
    for path, link in account.contents.links:
        if link.kind in ("external", "user"):
            yield Observation(kind="external_path", value=link.file or link.target or "", where=path)
    texts = MOST_TEXTS
    for dataset in account.contents.datasets:
        yield from _dataset(_Place(account.file, source, dataset, inside), texts)
        texts = max(texts - (dataset.num_bytes // 16 if dataset.datatype.kind in ("text", "list") else 0), 0)
    for one in account.contents.objects:
        for attribute in whole_attributes(account.file, one.messages)[0].values():
            yield from _attribute(source, attribute, f"{one.path}@{attribute.name}", inside)


def _around(source: Source, account: Account, inside: Inside) -> Iterator[Observation]:
    """Bytes before the file's own and behind them."""
    base = account.file.base
    if base:
        yield Observation(kind="gap", value="user_block", offset=0)
        yield from inside.file(Window(source, 0, base, path=source.path), "user_block")
    for problem in account.problems:
        if problem.kind == "trailing":
            yield Observation(kind="gap", value="trailing", offset=problem.offset)


class _Place(NamedTuple):
    file: File
    source: Source
    dataset: Dataset
    inside: Inside


def _dataset(place: _Place, texts: int) -> Iterator[Observation]:
    file, source, dataset, inside = place
    for path in dataset.external:
        yield Observation(kind="external_path", value=path, where=dataset.name)
    if dataset.layout.kind == "virtual":
        yield from _virtual(file, dataset)
    datatype, base = dataset.datatype, dataset.datatype.base
    is_list = datatype.kind in ("text", "list") and base is not None and base.dtype in _BYTES
    if not is_list and datatype.dtype not in _BYTES:
        return
    try:
        for offset, nbytes in _stretches(file, dataset):
            if not is_list:
                yield from inside.file(Window(source, offset, nbytes, path=source.path), dataset.name)
                return
            count = min(nbytes // datatype.size, texts)
            texts -= count
            yield from _elements(place, offset, count)
    except OverBudget:
        raise
    except FormatError as error:
        yield Observation(kind="gap", value=error.saying.key, where=dataset.name, offset=error.offset)


def _elements(place: _Place, offset: int, count: int) -> Iterator[Observation]:
    """Each string or list of bytes of so many from there on."""
    file, source, dataset, inside = place
    cursor = Cursor(file.pages, offset=offset, end=offset + count * dataset.datatype.size)
    size = 1 if dataset.datatype.base is None else dataset.datatype.base.size
    for held in read_lists(file, cursor, count, size):
        if held is None:
            continue
        nbytes = held.left
        yield from inside.file(Window(source, held.offset, nbytes, path=source.path), dataset.name)
        if SHORTEST_BASE64 <= nbytes <= MOST_TEXT:
            yield from inside.base64(held.text(nbytes, "string"), dataset.name)


def _stretches(file: File, dataset: Dataset) -> Iterator[tuple[int, int]]:
    """Where elements stand as they are, and how many bytes: all in one, or chunk by chunk."""
    layout = dataset.layout
    if dataset.offset is not None and dataset.nbytes:
        yield dataset.offset, dataset.nbytes
    elif layout.kind == "chunked" and layout.index == 0 and layout.address is not None and not dataset.filters:
        for key, address in entries(file, layout.address, CHUNK_NODE, 8 + 8 * len(layout.chunk)):
            yield file.base + address, int.from_bytes(key[:4], "little")


def _attribute(source: Source, attribute: Attribute, where: str, inside: Inside) -> Iterator[Observation]:
    in_place = attribute.datatype.kind in ("opaque", "string")
    if in_place and attribute.nbytes:
        yield from inside.file(Window(source, attribute.offset, attribute.nbytes, path=source.path), where)
    look = inside.base64 if in_place else inside.text
    for value in attribute.values or ():
        if isinstance(value, str):
            yield from look(value, where)


def _virtual(file: File, dataset: Dataset) -> Iterator[Observation]:
    """The files that a virtual dataset is put together from, by the mappings kept in the global heap."""
    if dataset.layout.address is None or dataset.layout.index is None:
        return
    start, length = read_collection(file, dataset.layout.address).get(dataset.layout.index, (0, 0))
    data = file.block(start, min(length, MOST_MAPPING)).bytes(min(length, MOST_MAPPING), "virtual mappings")
    names = {match[1] for match in _MAPPING.finditer(data)} - {_HERE}
    for name in sorted(names):
        yield Observation(kind="external_path", value=name.decode("utf-8", "backslashreplace"), where=dataset.name)
