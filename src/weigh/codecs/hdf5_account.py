"""What an HDF5 file says of itself: tensors, attributes as plain values, and where it breaks its own rules."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.hdf5 import Contents, walk
from weigh.codecs.hdf5_attributes import Attribute, whole_attributes
from weigh.codecs.hdf5_datasets import Dataset
from weigh.codecs.hdf5_file import File
from weigh.codecs.hdf5_superblock import open_hdf5
from weigh.core.errors import FormatError, OverBudget, Truncated
from weigh.core.header import LongArray, Meta, Problem
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.core.value import Value

MOST_PROBLEMS = 100
SHORT = 16


class Account(Value, frozen=True, kw_only=True):
    """One walk of one file; `attributes` are the root's."""

    file: File
    contents: Contents
    attributes: dict[str, Attribute]
    problems: tuple[Problem, ...]

    @property
    def tensors(self) -> tuple[TensorInfo, ...]:
        """Every dataset, in the order of the walk."""
        return tuple(dataset.info() for dataset in self.contents.datasets)

    @property
    def byte_order(self) -> str | None:
        """`big` if the first dataset of numbers is kept so."""
        orders = (one.datatype.big for one in self.contents.datasets if one.datatype.big is not None)
        return "big" if next(orders, False) else None


def account_of(source: Source) -> Account:
    """Raises FormatError where the root cannot be read; what lies below it and is damaged becomes a Problem."""
    file = open_hdf5(source)
    contents = walk(file)
    attributes, error = whole_attributes(file, contents.objects[0].messages)
    problems = [*_ends(file, source), *map(_as_problem, contents.errors)]
    if error is not None:
        problems.append(_as_problem(error))
    problems += _places(file, contents)
    return Account(file=file, contents=contents, attributes=attributes, problems=tuple(problems[:MOST_PROBLEMS]))


def meta_of(attribute: Attribute) -> Meta:
    """A scalar, a few values, or the first of many; None for what is not taken apart."""
    if attribute.values is None or attribute.shape is None:
        return None
    values = tuple(value.hex() if isinstance(value, bytes) else value for value in attribute.values)
    if attribute.shape == ():
        return values[0] if values else None
    if len(values) <= SHORT:
        return values
    return LongArray(type=attribute.datatype.dtype, count=len(values), first=values[:SHORT])


def texts_of(attribute: Attribute | None) -> tuple[str, ...]:
    """The strings that the attribute holds."""
    return tuple(value for value in (attribute and attribute.values) or () if isinstance(value, str))


def text_of(attribute: Attribute | None) -> str | None:
    """The one string that the attribute holds."""
    texts = texts_of(attribute)
    return texts[0] if len(texts) == 1 else None


def _as_problem(error: FormatError) -> Problem:
    kind = "truncated" if isinstance(error, Truncated) else "malformed"
    kind = "over-budget" if isinstance(error, OverBudget) else kind
    return Problem(kind=kind, detail=error.saying, offset=error.offset)


def _ends(file: File, source: Source) -> Iterator[Problem]:
    size = source.size
    if file.end > size:
        detail = Saying("problem.truncated", missing=file.end - size, size=size)
        yield Problem(kind="truncated", detail=detail, offset=size)
    elif 0 < file.end < size:
        detail = Saying("problem.trailing", nbytes=size - file.end)
        yield Problem(kind="trailing", detail=detail, offset=file.end)


def _places(file: File, contents: Contents) -> Iterator[Problem]:
    """Datasets whose bytes are fewer than their shape needs, lie outside the file, or upon each other."""
    size, at = file.pages.size, 0
    for dataset in sorted(contents.datasets, key=lambda one: one.offset or 0):
        if dataset.offset is None or not dataset.nbytes:
            continue
        end = dataset.offset + dataset.nbytes
        if dataset.nbytes < dataset.num_bytes:
            yield _problem("malformed", "problem.hdf5.short", dataset)
        if end > size >= file.end:
            yield _problem("out-of-bounds", "problem.hdf5.outside", dataset)
        if dataset.offset < at:
            yield _problem("overlap", "problem.overlap", dataset)
        at = max(at, end)


def _problem(kind: str, key: str, dataset: Dataset) -> Problem:
    return Problem(kind=kind, detail=Saying(key, name=dataset.name), offset=dataset.offset)
