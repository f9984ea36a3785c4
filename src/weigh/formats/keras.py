"""Keras 3's own file: a zip with the configuration as JSON and the weights as HDF5."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from weigh.codecs.embedded import Inside
from weigh.codecs.entries import slips
from weigh.codecs.hdf5_account import Account, account_of
from weigh.codecs.hdf5_file import MOST_STRUCTURES
from weigh.codecs.hdf5_observations import observe_hdf5
from weigh.codecs.hdf5_superblock import SIGNATURE
from weigh.codecs.json import decode
from weigh.codecs.keras_config import meta_of_json, observe_config, summary_of
from weigh.codecs.keras_weights import is_of_optimizer
from weigh.codecs.npz import arrays_in, observe_npz, tensor_of
from weigh.codecs.pickle import is_pickle
from weigh.codecs.zip import MOST_INFLATED, STORED, Member, data_offset, is_zip, open_member, read_directory
from weigh.codecs.zip_head import open_head
from weigh.codecs.zip_sums import wrong_sums
from weigh.core.errors import FormatError, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo

CONFIG, METADATA = "config.json", "metadata.json"
WEIGHTS = frozenset({"model.weights.h5", "model.weights.npz"})
MOST_MEMBERS = 10_000
MOST_JSON = 4 << 20  # in all; as Python holds it, JSON may take twenty times its bytes


def matches(source: Source) -> bool:
    """A zip that begins the file and holds both of Keras' JSON members."""
    if not is_zip(source) or (source.read(0, 2) != b"PK" and is_pickle(source)):
        return False
    try:
        names = {member.name for member in read_directory(source).members}
        if CONFIG not in names:
            return False
        if source.path.endswith(".keras") or names & WEIGHTS:  # Keras itself asks for no more than the configuration
            return True
        return METADATA in names and "keras_version" in _Left(source).decode(_by_name(source)[METADATA])
    except (FormatError, TypeError):
        return False


def read(source: Source) -> Header:
    """The configuration, and the weights by member and path. Raises FormatError."""
    members, left = _by_name(source), _Left(source)
    config = left.decode(members[CONFIG])
    about = left.decode(members[METADATA]) if METADATA in members else {}
    metadata: dict[str, Meta] = {}
    if isinstance(about, dict):
        metadata |= {str(key): meta_of_json(value) for key, value in about.items()}
    metadata |= summary_of(config)
    metadata["config"] = meta_of_json(config)
    tensors, problems = _weights(source, left)
    optimizer = sum(is_of_optimizer(tensor.name) for tensor in tensors)
    if optimizer:
        metadata["num_optimizer_tensors"] = optimizer
    version = metadata.get("keras_version")
    return Header(
        format="keras",
        version=version if isinstance(version, str) else None,
        metadata=metadata,
        tensors=tensors,
        problems=(*_doubles(source), *_lacking(members, config), *problems, *wrong_sums(source, members.values())),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Layers, code and paths of every JSON member; what each other member holds, whatever it is called."""
    inside, left = Inside(source.path), _Left(source)
    named = ((member.name, None, member.offset) for member in read_directory(source).members)
    yield from (seen for seen, _ in slips(named))
    for member in read_directory(source).members:
        try:
            yield from _member(source, member, inside, left)
        except OverBudget:
            raise
        except FormatError as error:
            yield Observation(kind="stream_error", value=error.saying.key, where=member.name, offset=error.offset)


class _Left:
    """How much may still be inflated, decoded and walked, of all members together."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.inflated, self.json, self.structures = MOST_INFLATED, MOST_JSON, MOST_STRUCTURES

    def open(self, member: Member) -> Source:
        """The member's content. Raises FormatError."""
        self.inflated -= member.nbytes if member.method != STORED else 0
        if self.inflated < 0:
            raise OverBudget("zip.inflated", path=self.source.path, offset=member.offset, most=MOST_INFLATED)
        return open_member(self.source, member)

    def decode(self, member: Member) -> Any:
        """The member's JSON. Raises FormatError."""
        content = self.open(member)
        self.json -= content.size
        if self.json < 0:
            raise OverBudget(
                "too_long",
                path=self.source.path,
                offset=member.offset,
                what=member.name,
                length=content.size,
                most=MOST_JSON,
            )
        return decode(_in_utf8(content.read(0, content.size)), path=content.path)[0]

    def account(self, content: Source) -> Account:
        """The member's HDF5. Raises FormatError."""
        account = account_of(content)
        self.structures -= account.file.spent + 100
        if self.structures < 0:
            raise OverBudget("hdf5.structures", path=content.path, most=MOST_STRUCTURES)
        return account


def _in_utf8(data: bytes) -> bytes:
    """As Python's json takes bytes: by their mark or their zeros UTF-16 and UTF-32 too."""
    encoding = json.detect_encoding(data)
    return data if encoding == "utf-8" else data.decode(encoding, "replace").encode("utf-8", "surrogatepass")


def _lacking(members: Mapping[str, Member], config: Any) -> Iterator[Problem]:
    """A model whose layers are there and whose weights are not."""
    match config:
        case {"config": {"layers": [_, *_]}} if not any("weights" in name for name in members):
            yield Problem(kind="missing-shard", detail=Saying("problem.beside.gone", name="model.weights.h5"))


def _member(source: Source, member: Member, inside: Inside, left: _Left) -> Iterator[Observation]:
    if member.name.endswith(".json"):
        yield from observe_config(left.decode(member), inside)
        return
    content = left.open(member)
    if content.read(0, len(SIGNATURE)) == SIGNATURE:
        for seen in observe_hdf5(content, left.account(content), inside):
            yield _inside(seen, member)
    elif member.name.endswith(".npz") and is_zip(content):
        yield from observe_npz(content, inside, member.name)
    else:
        yield from inside.file(content, member.name)


def _inside(seen: Observation, member: Member) -> Observation:
    where = f"{member.name}!/{seen.where}" if seen.where else member.name
    return Observation(kind=seen.kind, value=seen.value, where=where, offset=seen.offset)


def _by_name(source: Source) -> Mapping[str, Member]:
    """The last member of each name: the one that zipfile, and with it Keras, takes. Raises FormatError."""
    members = read_directory(source).members
    if len(members) > MOST_MEMBERS:
        raise OverBudget("zip.members", path=source.path, count=len(members), most=MOST_MEMBERS)
    return {member.name: member for member in members}


def _weights(source: Source, left: _Left) -> tuple[tuple[TensorInfo, ...], tuple[Problem, ...]]:
    """Those of every HDF5 and npz member: a model may be kept in several."""
    tensors: list[TensorInfo] = []
    problems: list[Problem] = []
    for member in _by_name(source).values():
        head = open_head(source, member, len(SIGNATURE)).read(0, len(SIGNATURE))
        try:
            if head == SIGNATURE:
                account = left.account(left.open(member))
                tensors += _placed(source, member, account.tensors)
                problems += account.problems
            elif member.name.endswith("weights.npz"):
                content = left.open(member)
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
