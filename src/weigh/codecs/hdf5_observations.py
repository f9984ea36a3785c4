"""What in an HDF5 file leads out of it or hides in it: links, external storage, virtual datasets, files in bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from weigh.codecs.cursor import Cursor
from weigh.codecs.embedded import observe_inside, observe_text
from weigh.codecs.hdf5_account import Account
from weigh.codecs.hdf5_attributes import Attribute, read_texts, whole_attributes
from weigh.codecs.hdf5_datasets import Dataset
from weigh.codecs.hdf5_file import File
from weigh.codecs.hdf5_heaps import read_collection
from weigh.codecs.zip import Window
from weigh.core.errors import FormatError, OverBudget
from weigh.core.observation import Observation
from weigh.core.source import Source

MOST_TEXTS = 10_000  # strings of datasets that are looked at
MOST_MAPPING = 1 << 20

_BYTES = ("OPAQUE", "STRING", "U8", "I8")
_MAPPING = re.compile(rb"([^\0-\x1f]{1,1024})\0[^\0-\x1f]{1,1024}\0(?=[\0-\3]\0{3})")  # file, dataset, a selection
_HERE = b"."  # as the name of a file: this one


def observe_hdf5(source: Source, account: Account) -> Iterator[Observation]:
    """Everything of that kind. Raises FormatError after what was seen."""
    yield from _around(source, account)
    for path, link in account.contents.links:
        if link.kind in ("external", "user"):
            yield Observation(kind="external_path", value=link.file or link.target or "", where=path)
    texts = MOST_TEXTS
    for dataset in account.contents.datasets:
        yield from _dataset(account.file, source, dataset, texts)
        texts -= dataset.num_bytes // 16 if dataset.datatype.kind == "text" else 0
    for one in account.contents.objects:
        for attribute in whole_attributes(account.file, one.messages)[0].values():
            yield from _attribute(source, attribute, f"{one.path}@{attribute.name}")


def _around(source: Source, account: Account) -> Iterator[Observation]:
    """Bytes before the file's own and behind them."""
    base = account.file.base
    if base:
        yield Observation(kind="gap", value="user_block", offset=0)
        yield from observe_inside(Window(source, 0, base, path=source.path), "user_block")
    for problem in account.problems:
        if problem.kind == "trailing":
            yield Observation(kind="gap", value="trailing", offset=problem.offset)


def _dataset(file: File, source: Source, dataset: Dataset, texts: int) -> Iterator[Observation]:
    for path in dataset.external:
        yield Observation(kind="external_path", value=path, where=dataset.name)
    if dataset.layout.kind == "virtual":
        yield from _virtual(file, dataset)
    if dataset.offset is None or not dataset.nbytes or dataset.datatype.dtype not in _BYTES:
        return
    if dataset.datatype.kind != "text":
        yield from observe_inside(Window(source, dataset.offset, dataset.nbytes, path=source.path), dataset.name)
        return
    count = min(dataset.num_bytes // dataset.datatype.size, max(texts, 0))
    cursor = Cursor(file.pages, offset=dataset.offset, end=dataset.offset + dataset.nbytes)
    try:
        found = read_texts(file, cursor, count)
    except OverBudget:
        raise
    except FormatError as error:
        yield Observation(kind="gap", value=error.saying.key, where=dataset.name, offset=error.offset)
        return
    for text in found:
        yield from observe_text(text, dataset.name, path=source.path)


def _attribute(source: Source, attribute: Attribute, where: str) -> Iterator[Observation]:
    if attribute.datatype.kind in ("opaque", "string") and attribute.nbytes:
        yield from observe_inside(Window(source, attribute.offset, attribute.nbytes, path=source.path), where)
    for value in attribute.values or ():
        if isinstance(value, str):
            yield from observe_text(value, where, path=source.path)


def _virtual(file: File, dataset: Dataset) -> Iterator[Observation]:
    """The files that a virtual dataset is put together from, by the mappings kept in the global heap."""
    if dataset.layout.address is None or dataset.layout.index is None:
        return
    start, length = read_collection(file, dataset.layout.address).get(dataset.layout.index, (0, 0))
    data = file.block(start, min(length, MOST_MAPPING)).bytes(min(length, MOST_MAPPING), "virtual mappings")
    names = {match[1] for match in _MAPPING.finditer(data)} - {_HERE}
    for name in sorted(names):
        yield Observation(kind="external_path", value=name.decode("utf-8", "backslashreplace"), where=dataset.name)
