"""Keras 3's own file: a zip with the configuration as JSON and the weights as HDF5."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from weigh.codecs.embedded import Inside
from weigh.codecs.hdf5_account import account_of
from weigh.codecs.hdf5_observations import observe_hdf5
from weigh.codecs.hdf5_superblock import SIGNATURE
from weigh.codecs.json import decode
from weigh.codecs.keras_config import meta_of_json, observe_config, summary_of
from weigh.codecs.keras_weights import is_of_optimizer
from weigh.codecs.npz import arrays_in, observe_npz, tensor_of
from weigh.codecs.pickle import is_pickle
from weigh.codecs.zip import MOST_INFLATED, STORED, Member, data_offset, is_zip, open_member, read_directory
from weigh.codecs.zip_head import open_head
from weigh.core.errors import FormatError, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo

CONFIG, METADATA = "config.json", "metadata.json"
MOST_JSON = 64 << 20


def matches(source: Source) -> bool:
    """A zip that begins the file and holds both of Keras' JSON members."""
    if not is_zip(source) or (source.read(0, 2) != b"PK" and is_pickle(source)):
        return False
    try:
        names = {member.name for member in read_directory(source).members}
        return {CONFIG, METADATA} <= names and "keras_version" in _json(source, _by_name(source)[METADATA])
    except (FormatError, TypeError):
        return False


def read(source: Source) -> Header:
    """The configuration, and the weights by member and path. Raises FormatError."""
    members = _by_name(source)
    about, config = _json(source, members[METADATA]), _json(source, members[CONFIG])
    metadata: dict[str, Meta] = {}
    if isinstance(about, dict):
        metadata |= {str(key): meta_of_json(value) for key, value in about.items()}
    metadata |= summary_of(config)
    metadata["config"] = meta_of_json(config)
    tensors, problems = _weights(source)
    optimizer = sum(is_of_optimizer(tensor.name) for tensor in tensors)
    if optimizer:
        metadata["num_optimizer_tensors"] = optimizer
    version = metadata.get("keras_version")
    return Header(
        format="keras",
        version=version if isinstance(version, str) else None,
        metadata=metadata,
        tensors=tensors,
        problems=(*_doubles(source), *problems),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Layers, code and paths of every JSON member; what each other member holds, whatever it is called."""
    left, inside = MOST_INFLATED, Inside(source.path)
    for member in read_directory(source).members:
        if member.method != STORED:
            left -= member.nbytes
        if left < 0:
            raise OverBudget("zip.inflated", path=source.path, offset=member.offset, most=MOST_INFLATED)
        try:
            yield from _member(source, member, inside)
        except OverBudget:
            raise
        except FormatError as error:
            yield Observation(kind="stream_error", value=error.saying.key, where=member.name, offset=error.offset)


def _member(source: Source, member: Member, inside: Inside) -> Iterator[Observation]:
    content = open_member(source, member)
    if member.name.endswith(".json"):
        config = _json(source, member)
        yield from observe_config(config, inside)
    elif content.read(0, len(SIGNATURE)) == SIGNATURE:
        for seen in observe_hdf5(content, account_of(content), inside):
            yield _inside(seen, member)
    elif member.name.endswith(".npz") and is_zip(content):
        yield from observe_npz(content, inside, member.name)
    else:
        yield from inside.file(content, member.name)


def _inside(seen: Observation, member: Member) -> Observation:
    where = f"{member.name}!/{seen.where}" if seen.where else member.name
    return Observation(kind=seen.kind, value=seen.value, where=where, offset=seen.offset)


def _by_name(source: Source) -> Mapping[str, Member]:
    """The last member of each name: the one that zipfile, and with it Keras, takes."""
    return {member.name: member for member in read_directory(source).members}


def _json(source: Source, member: Member) -> Any:
    if member.nbytes > MOST_JSON:
        raise OverBudget(
            "too_long", path=source.path, offset=member.offset, what=member.name, length=member.nbytes, most=MOST_JSON
        )
    content = open_member(source, member)
    return decode(content.read(0, content.size), path=content.path)[0]


def _weights(source: Source) -> tuple[tuple[TensorInfo, ...], tuple[Problem, ...]]:
    """Those of every HDF5 and npz member: a model may be kept in several."""
    tensors: list[TensorInfo] = []
    problems: list[Problem] = []
    for member in _by_name(source).values():
        head = open_head(source, member, len(SIGNATURE)).read(0, len(SIGNATURE))
        try:
            if head == SIGNATURE:
                account = account_of(open_member(source, member))
                tensors += _placed(source, member, account.tensors)
                problems += account.problems
            elif member.name.endswith("weights.npz"):
                content = open_member(source, member)
                members = read_directory(content).members
                tensors += [tensor_of(content, one, array) for one, array in arrays_in(content, members)]
        except OverBudget:
            raise
        except FormatError as error:
            problems.append(Problem(kind="malformed", detail=error.saying, offset=member.offset))
    return tuple(tensors), tuple(problems)


def _placed(source: Source, member: Member, tensors: tuple[TensorInfo, ...]) -> Iterator[TensorInfo]:
    """With offsets that count from the start of the zip, where the member is stored as it is."""
    start = data_offset(source, member) if member.method == STORED else None
    for tensor in tensors:
        offset = None if start is None or tensor.offset is None else start + tensor.offset
        yield TensorInfo(
            name=tensor.name,
            dtype=tensor.dtype,
            shape=tensor.shape,
            nbytes=tensor.nbytes,
            offset=offset,
            storage=member.name,
        )


def _doubles(source: Source) -> Iterator[Problem]:
    seen: set[str] = set()
    for member in read_directory(source).members:
        if member.name in seen:
            detail = Saying("problem.zip.duplicate", name=member.name)
            yield Problem(kind="duplicate", detail=detail, offset=member.offset)
        seen.add(member.name)


FORMAT = Format(
    name="keras", suffixes=(".keras",), matches=matches, read=read, examine=examine, not_covered=("packed_chunks",)
)
