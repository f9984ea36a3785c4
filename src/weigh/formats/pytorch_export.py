"""torch.export's archive (.pt2): a graph as JSON, each weight a member of the zip, perhaps compiled code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from weigh.codecs.json import decode
from weigh.codecs.pickle import run
from weigh.codecs.pickle_observations import observe
from weigh.codecs.torch_objects import tensors_in
from weigh.codecs.zip import Member, data_offset, is_zip, open_member, read_directory
from weigh.core.errors import FormatError, Malformed
from weigh.core.format import Format
from weigh.core.header import Header, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo

MOST_JSON = 32 << 20
MOST_LISTED = 1024
MOST_DIMENSIONS = 64
_NATIVE = (".so", ".o", ".cpp", ".dll", ".dylib", ".cubin", ".ptx")
_PROGRAM = "serialized_exported_program.json"
_STATES = (
    "serialized_state_dict.json",
    "serialized_state_dict.pt",
    "serialized_constants.json",
    "serialized_constants.pt",
)
# ScalarType of torch/_export/serde/schema.py by number.
_TYPES = (
    "UNKNOWN", "U8", "I8", "I16", "I32", "I64", "F16", "F32", "F64", "C32", "C64", "C128", "BOOL", "BF16",
)  # fmt: skip
_LATER = {28: "U16", 29: "F8_E4M3", 30: "F8_E5M2", 31: "F8_E4M3FNUZ", 32: "F8_E5M2FNUZ"}


def matches(source: Source) -> bool:
    """A zip that says so in `archive_format`, or that holds an exported program as it was first written."""
    if source.read(0, 4) != b"PK\x03\x04" or not is_zip(source):
        return False
    try:
        members = {_below(member): member for member in read_directory(source).members}
        if (said := members.get("archive_format")) is not None and said.nbytes <= 16:
            return open_member(source, said).read(0, 16).strip() == b"pt2"
    except FormatError:
        return False
    return _PROGRAM in members


def read(source: Source) -> Header:
    """The weights by their own list, and the operators of the graph. Raises FormatError."""
    members = {_below(member): member for member in read_directory(source).members}
    problems: list[Problem] = []
    tensors: list[TensorInfo] = []
    for name, member in members.items():
        if name.endswith(("weights_config.json", "constants_config.json")):
            folder = name.rpartition("/")[0]
            tensors += _tensors(source, _json(source, member), folder, members, problems)
    for name in _STATES:
        if name in members:
            tensors += _saved(open_member(source, members[name]))
    models = [name for name in members if name.startswith("models/") and name.endswith(".json")]
    version = members.get("archive_version")
    return Header(
        format="pytorch-export",
        version=open_member(source, version).read(0, 16).decode("ascii", "replace").strip() if version else None,
        metadata={"models": tuple(models[:MOST_LISTED]), "native": tuple(_native(members))[:MOST_LISTED]},
        tensors=tuple(tensors),
        problems=tuple(problems),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Operators of every graph, compiled code, and the pickles of sample inputs and odd constants."""
    members = {_below(member): member for member in read_directory(source).members}
    for name in _native(members):
        yield Observation(kind="code", value=name, where=name, offset=members[name].offset)
    seen: set[str] = set()
    for name, member in members.items():
        if (name.startswith("models/") and name.endswith(".json")) or name == _PROGRAM:
            for operator in _operators(_json(source, member)):
                if operator not in seen:
                    seen.add(operator)
                    yield Observation(kind="operator", value=operator, where=name)
    yield from observe(source)


def _saved(content: Source) -> Iterator[TensorInfo]:
    """Before torch 2.6 the weights are a whole file of torch.save, packed into the archive as one member."""
    pickled = next((one for one in read_directory(content).members if one.name.endswith("/data.pkl")), None)
    if pickled is None:
        return
    stream = run(open_member(content, pickled))
    if stream.error is not None:
        raise stream.error
    yield from (tensor.info(None) for tensor in tensors_in(stream.value))


def _below(member: Member) -> str:
    """The member's name below the archive's one folder."""
    return member.name.partition("/")[2] or member.name


def _native(members: Mapping[str, Member]) -> Iterator[str]:
    return (name for name in members if name.endswith(_NATIVE))


def _json(source: Source, member: Member) -> Any:
    content = open_member(source, member)
    if content.size > MOST_JSON:
        raise Malformed("torch.no_data", path=content.path, offset=0)
    return decode(content.read(0, content.size), path=content.path)[0]


def _operators(model: Any) -> Iterator[str]:
    match model:
        case {"graph_module": {"graph": {"nodes": [*nodes]}}}:
            for node in nodes:
                if isinstance(node, dict) and isinstance(target := node.get("target"), str):
                    yield target[:200]


def _tensors(
    source: Source, table: Any, folder: str, members: Mapping[str, Member], problems: list[Problem]
) -> Iterator[TensorInfo]:
    match table:
        case {"config": dict() as rows}:
            for name, row in rows.items():
                tensor = _tensor(source, name, row, folder, members)
                if tensor is not None:
                    yield tensor
                if isinstance(row, dict) and f"{folder}/{row.get('path_name')}" not in members:
                    detail = Saying("problem.torch.no_storage", name=name, key=str(row.get("path_name")))
                    problems.append(Problem(kind="truncated", detail=detail))


def _tensor(source: Source, name: str, row: Any, folder: str, members: Mapping[str, Member]) -> TensorInfo | None:
    match row:
        case {"path_name": str(path), "tensor_meta": {"dtype": int(number), "sizes": [*sizes]}}:
            shape = tuple(
                size["as_int"] for size in sizes if isinstance(size, dict) and type(size.get("as_int")) is int
            )
            dtype = _TYPES[number] if 0 < number < len(_TYPES) else _LATER.get(number, f"SCALAR_{number}")
        case _:
            return None
    if len(shape) != len(sizes) or len(shape) > MOST_DIMENSIONS or not all(0 <= size < 1 << 62 for size in shape):
        return None
    member = members.get(f"{folder}/{path}")
    return TensorInfo(
        name=name,
        dtype=dtype,
        shape=shape,
        nbytes=member.nbytes if member is not None else None,
        offset=data_offset(source, member) if member is not None and not member.method else None,
        storage=path,
    )


FORMAT = Format(
    name="pytorch-export",
    suffixes=(".pt2",),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("storage_bytes", "native_code"),
)
