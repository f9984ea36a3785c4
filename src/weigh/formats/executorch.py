"""ExecuTorch: a program in a flatbuffer with its segments behind it, and the tensors it keeps apart (.ptd).

The fields are those of executorch/schema/program.fbs and extension/flat_tensor/serialize/flat_tensor.fbs, by their
numbers; the header between them and the segments is that of schema/extended_header.h.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from weigh.codecs.flatbuffers import Flat, Table
from weigh.core.errors import Malformed
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.core.value import Value
from weigh.knowledge.dtypes import dtypes

MOST_LISTED = 1024
MOST_DIMENSIONS = 64
_PROGRAM = re.compile(rb"ET\d\d")
_TENSORS = b"FT01"
_TENSOR, _EXTERNAL = 5, 1  # of KernelTypes and TensorDataLocation
# ScalarType by number.
_TYPES = {
    0: "U8", 1: "I8", 2: "I16", 3: "I32", 4: "I64", 5: "F16", 6: "F32", 7: "F64", 8: "C32", 9: "C64", 10: "C128",
    11: "BOOL", 12: "QI8", 13: "QU8", 14: "QI32", 15: "BF16", 16: "U4", 17: "U2", 22: "U16", 23: "F8_E5M2",
    24: "F8_E4M3", 25: "F8_E5M2FNUZ", 26: "F8_E4M3FNUZ", 27: "U16", 28: "U32", 29: "U64",
}  # fmt: skip


class _Segment(Value, frozen=True, kw_only=True):
    offset: int
    nbytes: int


def matches(source: Source) -> bool:
    """The identifier of a program or of a file of tensors behind the root's offset."""
    head = source.read(0, 8)
    identified = head[4:] == _TENSORS or _PROGRAM.fullmatch(head[4:]) is not None
    return identified and 8 <= int.from_bytes(head[:4], "little") < source.size


def read(source: Source) -> Header:
    """Constant tensors and what each method does. Raises FormatError."""
    root = Flat(source).root()
    problems: list[Problem] = []
    if source.read(4, 4) == _TENSORS:
        return _file_of_tensors(source, root, problems)
    reader = _Program(source, root, problems)
    tensors: list[TensorInfo] = []
    plans: list[Meta] = []
    for number, plan in enumerate(root.tables(1, "execution_plan")):
        name = plan.text(0, "method") or str(number)
        values = tuple(_tensor_of(value) for value in plan.tables(2, "values"))
        tensors += reader.constants(values, name)
        plans.append(_plan(plan, name, values))
    return Header(
        format="executorch",
        version=str(root.number(0, 4, "version")),
        metadata={
            "identifier": source.read(4, 4).decode("ascii", "replace"),
            "execution_plans": tuple(plans[:MOST_LISTED]),
            "segments": len(reader.segments),
            "named_data": dict(islice(_named(root, reader.segments), MOST_LISTED)),
        },
        tensors=tuple(tensors),
        problems=tuple(problems),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Every operator; every backend that a part of the program is handed to, as `delegate:NAME`."""
    if source.read(4, 4) == _TENSORS:
        return
    seen: set[str] = set()
    for plan in Flat(source).root().tables(1, "execution_plan"):
        where = plan.text(0, "method")
        for name in (*_operators(plan), *_delegates(plan)):
            if name not in seen:
                seen.add(name)
                yield Observation(kind="operator", value=name, where=where, offset=plan.offset)


class _Program:
    """Where a program's constants lie: in the flatbuffer (before September 2024) or in its first segment."""

    __slots__ = ("base", "constants_at", "inline", "problems", "segments", "source")

    def __init__(self, source: Source, root: Table, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        self.base = _segment_base(source, b"eh00", 16)
        self.segments = _segments(root, 4, self.base, problems)
        self.inline = tuple(buffer.vector(0, 1, "constant_buffer") for buffer in root.tables(2, "constant_buffer"))
        constant = root.table(5, "constant_segment")
        self.constants_at: tuple[int, ...] = ()
        if constant is not None and (index := constant.number(0, 4, "segment_index")) < len(self.segments):
            start = self.segments[index].offset
            offsets = constant.numbers(1, 8, "constant offsets", signed=False)
            self.constants_at = tuple(start + offset for offset in offsets)

    def constants(self, values: tuple[Table | None, ...], method: str) -> Iterator[TensorInfo]:
        """The tensors among the values that a program brings with it, or looks for in a file beside it."""
        for number, tensor in enumerate(values):
            if tensor is None:
                continue
            index = tensor.number(5, 4, "data_buffer_idx")
            extra = tensor.table(9, "extra_tensor_info")
            outside = extra is not None and extra.number(2, 1, "location") == _EXTERNAL
            if not index and not outside:
                continue
            name = extra.text(1, "fully_qualified_name") if extra is not None else None
            info = _info(tensor, (0, 2), name or f"{method}.{number}", self.problems)
            yield info if outside else self._placed(info, index)

    def _placed(self, info: TensorInfo, index: int) -> TensorInfo:
        offset: int | None = None
        if index < len(self.inline):
            vector = self.inline[index]
            offset = vector.offset if vector is not None else None
        elif index < len(self.constants_at):
            offset = self.constants_at[index]
        return TensorInfo(
            name=info.name, dtype=info.dtype, shape=info.shape, nbytes=info.nbytes, offset=offset, storage=str(index)
        )


def _file_of_tensors(source: Source, root: Table, problems: list[Problem]) -> Header:
    base = _segment_base(source, b"FH01", 24)
    segments = _segments(root, 1, base, problems)
    tensors: list[TensorInfo] = []
    others: list[str] = []
    for row in root.tables(2, "named_data"):
        key, index, layout = row.text(0, "key") or "", row.number(1, 4, "segment_index"), row.table(2, "tensor_layout")
        if layout is None:
            others.append(key)
        else:
            info = _info(layout, (0, 1), key, problems)
            place = segments[index] if index < len(segments) else None
            tensors.append(
                TensorInfo(
                    name=key,
                    dtype=info.dtype,
                    shape=info.shape,
                    nbytes=place.nbytes if place is not None else info.nbytes,
                    offset=place.offset if place is not None else None,
                    storage=str(index),
                )
            )
    metadata: dict[str, Meta] = {"identifier": "FT01", "segments": len(segments)}
    if others:
        metadata["named_data"] = tuple(sorted(others)[:MOST_LISTED])
    return Header(
        format="executorch",
        version=str(root.number(0, 4, "version")),
        metadata=metadata,
        tensors=tuple(tensors),
        problems=tuple(problems),
    )


def _segment_base(source: Source, magic: bytes, at: int) -> int | None:
    """Where segments are counted from; None without the header that says so."""
    head = source.read(8, 40)
    if head[:4] != magic or len(head) < at + 8:
        return None
    return int.from_bytes(head[at : at + 8], "little")


def _segments(root: Table, field: int, base: int | None, problems: list[Problem]) -> tuple[_Segment, ...]:
    """Each segment's place in the file; the first that reaches past its end is a Problem."""
    size, path = root.flat.source.size, root.flat.source.path
    found: list[_Segment] = []
    for row in root.tables(field, "segments"):
        start, nbytes = row.number(0, 8, "segment offset"), row.number(1, 8, "segment size")
        if base is None and nbytes:
            raise Malformed("executorch.no_base", path=path, offset=row.offset)
        found.append(_Segment(offset=(base or 0) + start, nbytes=nbytes))
    end = max((segment.offset + segment.nbytes for segment in found if segment.nbytes), default=0)
    if end > size:
        detail = Saying("problem.truncated", missing=end - size, size=size)
        problems.append(Problem(kind="truncated", detail=detail, offset=size))
    return tuple(found)


def _tensor_of(value: Table) -> Table | None:
    """The tensor in a value; None where it holds something else."""
    return value.table(1, "tensor") if value.number(0, 1, "value type") == _TENSOR else None


def _info(tensor: Table, fields: tuple[int, int], name: str, problems: list[Problem]) -> TensorInfo:
    """Type and sizes of a tensor, or of the layout of one: they stand in fields of other numbers."""
    kind, shape = tensor.number(fields[0], 1, "scalar_type"), tensor.numbers(fields[1], 4, "sizes")
    if len(shape) > MOST_DIMENSIONS or min(shape, default=0) < 0:
        raise Malformed("flatbuffers.rank", path=tensor.flat.source.path, offset=tensor.offset, rank=len(shape))
    dtype = _TYPES.get(kind)
    if dtype is None:
        detail = Saying("problem.flatbuffers.type", name=name, type=kind)
        problems.append(Problem(kind="unknown-type", detail=detail, offset=tensor.offset))
        return TensorInfo(name=name, dtype=f"SCALAR_{kind}", shape=shape)
    info = TensorInfo(name=name, dtype=dtype, shape=shape)
    return TensorInfo(name=name, dtype=dtype, shape=shape, nbytes=dtypes()[dtype].nbytes(info.num_elements))


def _plan(plan: Table, name: str, values: tuple[Table | None, ...]) -> Meta:
    return {
        "name": name,
        "inputs": _ends(plan.numbers(3, 4, "inputs"), values),
        "outputs": _ends(plan.numbers(4, 4, "outputs"), values),
        "operators": tuple(_operators(plan))[:MOST_LISTED],
        "delegates": dict(Counter(name.removeprefix("delegate:") for name in _delegates(plan))),
    }


def _ends(indices: tuple[int, ...], values: tuple[Table | None, ...]) -> tuple[Meta, ...]:
    found: list[Meta] = []
    for index in indices[:MOST_LISTED]:
        tensor = values[index] if 0 <= index < len(values) else None
        if tensor is not None:
            info = _info(tensor, (0, 2), "", [])
            found.append({"dtype": info.dtype, "shape": info.shape})
    return tuple(found)


def _operators(plan: Table) -> Iterator[str]:
    for row in plan.tables(6, "operators"):
        name, overload = row.text(0, "operator"), row.text(1, "overload")
        yield f"{name}.{overload}" if overload else name or "?"


def _delegates(plan: Table) -> Iterator[str]:
    for row in plan.tables(7, "delegates"):
        yield f"delegate:{row.text(0, 'delegate') or '?'}"


def _named(root: Table, segments: tuple[_Segment, ...]) -> Iterator[tuple[str, int | None]]:
    """What backends keep under names of their own, and the bytes of each."""
    for row in root.tables(7, "named_data"):
        index = row.number(1, 4, "segment_index")
        yield row.text(0, "key") or "", segments[index].nbytes if index < len(segments) else None


FORMAT = Format(
    name="executorch",
    suffixes=(".pte", ".ptd"),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("delegate_data",),
)
