"""TorchScript before 1.4: a zip whose model.json lists modules and tensors, with code and tensors beside it.

The layout is that of PyTorch's caffe2/proto/torch.proto as torch/csrc/jit/export.cpp wrote it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from weigh.codecs.json import decode
from weigh.codecs.pickle_observations import observe
from weigh.codecs.zip import Member, data_offset, is_zip, open_member, read_directory
from weigh.core.errors import FormatError, Malformed
from weigh.core.format import Format
from weigh.core.header import Header, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.knowledge.dtypes import dtypes

MOST_JSON = 32 << 20
MOST_LISTED = 1024
MOST_MODULES = 100_000
MOST_DIMENSIONS = 64
_TYPES = {
    "FLOAT": "F32", "FLOAT16": "F16", "DOUBLE": "F64", "INT8": "I8", "UINT8": "U8", "INT16": "I16", "INT32": "I32",
    "INT64": "I64", "BOOL": "BOOL", "BFLOAT16": "BF16",
}  # fmt: skip


def matches(source: Source) -> bool:
    """A zip with model.json and a version in one folder, and code or tensors beside them."""
    if source.read(0, 4) != b"PK\x03\x04" or not is_zip(source):
        return False
    try:
        names = {_below(member) for member in read_directory(source).members}
    except FormatError:
        return False
    return {"model.json", "version"} <= names and any(name.startswith(("code/", "tensors/")) for name in names)


def read(source: Source) -> Header:
    """Tensors by the names of the modules they are in. Raises FormatError."""
    members = {_below(member): member for member in read_directory(source).members}
    content = open_member(source, members["model.json"])
    if content.size > MOST_JSON:
        raise Malformed("torch.no_data", path=content.path, offset=0)
    model, _ = decode(content.read(0, content.size), path=content.path)
    match model:
        case {"mainModule": dict() as main, "tensors": [*rows]}:
            names = dict(_names(main))
        case _:
            raise Malformed("torch.no_data", path=content.path, offset=0)
    problems: list[Problem] = []
    tensors = [
        tensor
        for number, row in enumerate(rows)
        if (tensor := _tensor(source, row, names.get(number, str(number)), members, problems)) is not None
    ]
    version = open_member(source, members["version"]).read(0, 16).decode("ascii", "replace").strip()
    code = {name: member.nbytes for name, member in members.items() if name.startswith("code/")}
    return Header(
        format="torchscript",
        version=version,
        metadata={"code": dict(list(code.items())[:MOST_LISTED]), "producer": str(model.get("producerName"))[:200]},
        tensors=tuple(tensors),
        problems=tuple(problems),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Source code, and the pickles of attributes."""
    for member in read_directory(source).members:
        if member.name.endswith(".py"):
            yield Observation(kind="code", value=member.name, where=member.name, offset=member.offset)
    yield from observe(source)


def _below(member: Member) -> str:
    return member.name.partition("/")[2] or member.name


def _names(main: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """The number of each parameter's tensor, and its dotted name."""
    pending: list[tuple[str, Any]] = [("", main)]
    for _ in range(MOST_MODULES):
        if not pending:
            return
        stem, module = pending.pop()
        if not isinstance(module, Mapping):
            continue
        for row in _rows(module, "parameters"):
            number = _whole(row.get("tensorId"))
            if number is not None:
                yield number, f"{stem}{row.get('name')}"
        pending += [(f"{stem}{row.get('name')}.", row) for row in _rows(module, "submodules")]


def _rows(module: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = module.get(key)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _tensor(
    source: Source, row: Any, name: str, members: Mapping[str, Member], problems: list[Problem]
) -> TensorInfo | None:
    match row:
        case {"dims": [*dims], "dataType": str(kind), "data": {"key": str(key)}}:
            shape = tuple(_whole(length) for length in dims)
        case {"dataType": str(kind), "data": {"key": str(key)}}:  # a scalar has none
            shape = ()
        case _:
            return None
    dtype, offset, member = _TYPES.get(kind, kind[:32]), _whole(row.get("offset")) or 0, members.get(key)
    lengths = tuple(length for length in shape if length is not None)
    if len(lengths) != len(shape) or len(shape) > MOST_DIMENSIONS:
        return None
    if member is None:
        detail = Saying("problem.torch.no_storage", name=name, key=key)
        problems.append(Problem(kind="truncated", detail=detail))
    known, info = dtypes().get(dtype), TensorInfo(name=name, dtype=dtype, shape=lengths)
    size = known.block_bytes if known is not None else 1
    return TensorInfo(
        name=name,
        dtype=dtype,
        shape=lengths,
        nbytes=known.nbytes(info.num_elements) if known is not None else None,
        offset=data_offset(source, member) + offset * size if member is not None and not member.method else None,
        storage=key,
    )


def _whole(value: Any) -> int | None:
    """protobuf's JSON writes 64-bit numbers as strings."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value if type(value) is int and 0 <= value < 1 << 62 else None


FORMAT = Format(
    name="torchscript",
    suffixes=(".pt", ".pth"),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("storage_bytes", "torchscript_code"),
)
