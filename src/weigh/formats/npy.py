"""NumPy's files: one array, or a zip of them."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.embedded import Inside
from weigh.codecs.npy import MAGIC, Array, observe_npy, read_npy
from weigh.codecs.npz import SUFFIX, arrays_in, observe_npz, size_problem, tensor_of
from weigh.codecs.pickle import is_pickle
from weigh.codecs.zip import Directory, is_zip, read_directory
from weigh.codecs.zip_head import open_head
from weigh.codecs.zip_sums import wrong_sums
from weigh.core.errors import FormatError
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo

MOST_ARRAYS = 10_000  # saved one behind another in one file
MOST_OBJECTS = 100


def matches(source: Source) -> bool:
    """The magic letters."""
    return source.read(0, len(MAGIC)) == MAGIC


def read(source: Source) -> Header:
    """The array, and those saved behind it in the same file. Raises FormatError."""
    arrays = _arrays(source)
    last = arrays[-1]
    problem = size_problem("", last, source.size, last.offset)
    return Header(
        format="npy",
        version=arrays[0].version,
        byte_order="big" if arrays[0].is_big else None,
        metadata=_metadata(arrays[0]),
        tensors=tuple(_tensor(number, array, source.size) for number, array in enumerate(arrays)),
        problems=() if problem is None else (problem,),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """An array of objects is a pickle; what follows the last array is a gap."""
    inside = Inside(source.path)
    for array in _arrays(source):
        yield from observe_npy(source, array, "", inside)
    for problem in header.problems:
        if problem.kind == "trailing":
            yield Observation(kind="gap", value="trailing", offset=problem.offset)


def matches_npz(source: Source) -> bool:
    """A zip with nothing but arrays in it."""
    directory = _directory(source)
    if directory is None or not directory.members:
        return False
    members = directory.members
    if not all(member.name.endswith(SUFFIX) for member in members):
        return False
    try:
        return open_head(source, members[0], 16).read(0, len(MAGIC)) == MAGIC
    except FormatError:
        return False


def read_npz(source: Source) -> Header:
    """Every member's array by its name. Raises FormatError."""
    members = read_directory(source).members
    tensors: list[TensorInfo] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for member, array in arrays_in(source, members):
        tensors.append(tensor_of(source, member, array))
        if (problem := size_problem(member.name, array, member.nbytes, member.offset)) is not None:
            problems.append(problem)
        if member.name in seen:
            detail = Saying("problem.zip.duplicate", name=member.name)
            problems.append(Problem(kind="duplicate", detail=detail, offset=member.offset))
        seen.add(member.name)
    problems += wrong_sums(source, members)
    objects = tuple(tensor.name for tensor in tensors if tensor.dtype == "OBJECT")[:MOST_OBJECTS]
    metadata: dict[str, Meta] = {"objects": objects} if objects else {}
    return Header(format="npz", metadata=metadata, tensors=tuple(tensors), problems=tuple(problems[:MOST_OBJECTS]))


def examine_npz(source: Source, header: Header) -> Iterator[Observation]:
    """Arrays of objects, and members that are none."""
    yield from observe_npz(source, Inside(source.path))


def _arrays(source: Source) -> list[Array]:
    arrays = [read_npy(source)]
    while len(arrays) < MOST_ARRAYS and not arrays[-1].has_object:
        end = arrays[-1].offset + arrays[-1].nbytes
        if source.read(end, len(MAGIC)) != MAGIC:
            break
        arrays.append(read_npy(source, end))
    return arrays


def _metadata(array: Array) -> dict[str, Meta]:
    metadata: dict[str, Meta] = {}
    if array.is_fortran:
        metadata["fortran_order"] = True
    if array.has_object:
        metadata["objects"] = True
    if array.fields:
        metadata["fields"] = array.fields
    return metadata


def _tensor(number: int, array: Array, size: int) -> TensorInfo:
    nbytes = max(size - array.offset, 0) if array.has_object else array.nbytes
    return TensorInfo(name=f"arr_{number}", dtype=array.dtype, shape=array.shape, nbytes=nbytes, offset=array.offset)


def _directory(source: Source) -> Directory | None:
    """None where a pickle stands before the zip."""
    if not is_zip(source) or (source.read(0, 2) != b"PK" and is_pickle(source)):
        return None
    try:
        return read_directory(source)
    except FormatError:
        return None


FORMAT = Format(name="npy", suffixes=(".npy",), matches=matches, read=read, examine=examine)
NPZ = Format(name="npz", suffixes=(".npz",), matches=matches_npz, read=read_npz, examine=examine_npz)
