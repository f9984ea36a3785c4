"""A ZIP of NumPy's array files: each member's array, and what hides beside or in them."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.embedded import Inside
from weigh.codecs.npy import MAGIC, MOST_HEADER, Array, observe_npy, read_npy
from weigh.codecs.zip import MOST_INFLATED, STORED, Member, data_offset, open_member, read_directory
from weigh.codecs.zip_head import open_head
from weigh.core.errors import FormatError, OverBudget
from weigh.core.header import Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo

MOST_HEADS = 256 << 20  # bytes inflated for headers, in all
SUFFIX = ".npy"


def arrays_in(source: Source, members: tuple[Member, ...]) -> Iterator[tuple[Member, Array]]:
    """The array of every member that is one. Raises FormatError."""
    left = MOST_HEADS
    for member in members:
        if member.method != STORED:
            left -= min(member.nbytes, MOST_HEADER)
        if left < 0:
            raise OverBudget("zip.inflated", path=source.path, offset=member.offset, most=MOST_HEADS)
        head = open_head(source, member, MOST_HEADER + 16)
        if head.read(0, len(MAGIC)) == MAGIC:
            yield member, read_npy(head)


def tensor_of(source: Source, member: Member, array: Array) -> TensorInfo:
    """As a TensorInfo; there is an offset where the member is stored as it is. Raises FormatError."""
    offset = data_offset(source, member) + array.offset if member.method == STORED else None
    return TensorInfo(
        name=member.name.removesuffix(SUFFIX),
        dtype=array.dtype,
        shape=array.shape,
        nbytes=max(member.nbytes - array.offset, 0) if array.has_object else array.nbytes,
        offset=offset,
        storage=member.name,
    )


def size_problem(name: str, array: Array, nbytes: int, offset: int | None) -> Problem | None:
    """Fewer or more bytes behind the header than the shape needs; None where they agree or objects follow."""
    there, needed = nbytes - array.offset, array.nbytes
    if array.has_object or there == needed:
        return None
    if there < needed:
        detail = Saying("problem.truncated", missing=needed - there, size=nbytes)
        return Problem(kind="truncated", detail=detail, offset=offset)
    return Problem(kind="trailing", detail=Saying("problem.trailing", nbytes=there - needed), offset=offset)


def observe_npz(source: Source, inside: Inside, where: str = "") -> Iterator[Observation]:
    """Arrays of objects, and members that are no arrays. Raises FormatError after what was seen."""
    left = MOST_INFLATED
    for member in read_directory(source).members:
        place = f"{where}!/{member.name}" if where else member.name
        try:
            head = open_head(source, member, MOST_HEADER + 16)
            is_array = head.read(0, len(MAGIC)) == MAGIC
            array = read_npy(head) if is_array else None
            if array is not None and not array.has_object:
                continue
            left -= member.nbytes if member.method != STORED else 0
            if left < 0:
                raise OverBudget("zip.inflated", path=source.path, offset=member.offset, most=MOST_INFLATED)
            content = open_member(source, member)
        except OverBudget:
            raise
        except FormatError as error:
            yield Observation(kind="stream_error", value=error.saying.key, where=place, offset=member.offset)
            continue
        yield from inside.file(content, place) if array is None else observe_npy(content, array, place, inside)
