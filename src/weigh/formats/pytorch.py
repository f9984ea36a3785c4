"""torch.save since 1.6: a zip with one pickle and a member for each storage; TorchScript adds code beside it."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.pickle import is_pickle, run
from weigh.codecs.pickle_observations import observe
from weigh.codecs.tar import is_tar
from weigh.codecs.torch_objects import Rebuilt, keys_of, tensors_in
from weigh.codecs.torchscript import observe_source
from weigh.codecs.zip import (
    Directory,
    Member,
    data_offset,
    differing,
    is_named_alike,
    is_summed_right,
    is_zip,
    open_member,
    read_directory,
)
from weigh.codecs.zip_row import archives_before
from weigh.core.errors import FormatError, Malformed
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.sources.distant import distant

MOST_LISTED = 1024

MOST_SUMMED = 1 << 16  # bytes of a member whose checksum is worked out: the pickle and what tells of it


def matches(source: Source) -> bool:
    """A zip that holds a data.pkl and no TorchScript, or the beginning of one."""
    members = _members(source)
    if not members:
        return _begins_with_data(source)
    return _has(members, "data.pkl") and not _has(members, "constants.pkl")


def matches_script(source: Source) -> bool:
    """A zip that holds TorchScript's constants beside its data."""
    members = _members(source)
    return _has(members, "constants.pkl")


def read(source: Source) -> Header:
    """Tensors by what data.pkl would rebuild, held against the members that hold them. Raises FormatError."""
    return _read(source, "pytorch")


def read_script(source: Source) -> Header:
    """The same for TorchScript. Raises FormatError."""
    return _read(source, "torchscript")


def _read(source: Source, name: str) -> Header:
    directory = read_directory(source)
    pickled = _find(directory.members, "data.pkl")
    if pickled is None:
        raise Malformed("torch.no_data", path=source.path, offset=0)
    root = pickled.name[: -len("data.pkl")]
    stream = run(open_member(source, pickled))
    if stream.error is not None:
        raise stream.error
    # Torch finds members without regard to case, and takes the first of two.
    by_name = {member.name.lower(): member for member in reversed(directory.members)}
    problems = list(_oddities(source, directory))
    problems += _unfetched(directory) if distant(source) is not None else ()
    problems += [problem for one in archives_before(source) for problem in _read(one, name).problems]
    tensors = tuple(_placed(tensor, root.lower(), by_name, source, problems) for tensor in tensors_in(stream.value))
    order = _text(source, by_name.get(f"{root.lower()}byteorder")) or "little"
    return Header(
        format=name,
        version=_text(source, by_name.get(f"{root.lower()}version")),
        byte_order=order if order != "little" else None,
        metadata={
            "root": root.rstrip("/"),
            "protocol": stream.protocol,
            "keys": keys_of(stream.value),
            **(_script(directory.members, root) if name == "torchscript" else {}),
        },
        tensors=tensors,
        problems=tuple(problems),
    )


def _script(members: tuple[Member, ...], root: str) -> dict[str, Meta]:
    """The program beside the data: its source files with their sizes; whether a phone's interpreter can run it."""
    code = [member for member in members if member.name.startswith(f"{root}code/") and member.name.endswith(".py")]
    extra = [member.name.removeprefix(root) for member in members if member.name.startswith(f"{root}extra/")]
    return {
        "code": {member.name.removeprefix(root): member.nbytes for member in code[:MOST_LISTED]},
        "extra": tuple(extra[:MOST_LISTED]),
        "mobile": _has(members, "bytecode.pkl"),
    }


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Every member that is a pickle, whatever it is called; source code beside it is listed."""
    members = read_directory(source).members
    for member in members:
        if member.name.endswith(".py"):
            yield Observation(kind="code", value=member.name, where=member.name, offset=member.offset)
    if distant(source) is None:
        yield from observe_source(source, members)
    for one in (source, *archives_before(source)):
        yield from observe(one, only_named=distant(source) is not None)


def _members(source: Source) -> tuple[Member, ...]:
    """None where a pickle or a tar stands before the zip: torch.load goes by the first bytes and would take that."""
    if not is_zip(source) or (source.read(0, 2) != b"PK" and (is_pickle(source) or is_tar(source))):
        return ()
    try:
        return read_directory(source).members
    except FormatError:
        return ()


def _begins_with_data(source: Source) -> bool:
    """A local header for data.pkl: a file that was cut short has no directory left."""
    head = source.read(0, 512)
    length = int.from_bytes(head[26:28], "little")
    return head[:4] == b"PK\x03\x04" and head[30 : 30 + length].endswith(b"data.pkl")


def _has(members: tuple[Member, ...], name: str) -> bool:
    return _find(members, name) is not None


def _find(members: tuple[Member, ...], name: str) -> Member | None:
    """The member of this name at the root or in a folder below it; in the first member's folder before all others."""
    found = [one for one in members if one.name.lower() == name or one.name.lower().partition("/")[2] == name]
    root = members[0].name.lower().partition("/")[0] if members else ""
    return next((one for one in found if one.name.lower() == f"{root}/{name}"), found[0] if found else None)


def _text(source: Source, member: Member | None) -> str | None:
    """The short text a member holds; None where it is missing or no text."""
    if member is None or member.nbytes > 64:
        return None
    return open_member(source, member).read(0, 64).decode("ascii", "replace").strip()


def _oddities(source: Source, directory: Directory) -> Iterator[Problem]:
    """What makes readers differ: bytes outside the archive, two members of a name, two names of a member."""
    if directory.before and not archives_before(source):
        yield Problem(kind="gap", detail=Saying("problem.gap", nbytes=directory.before), offset=0)
    if directory.after:
        detail = Saying("problem.trailing", nbytes=directory.after)
        yield Problem(kind="trailing", detail=detail, offset=source.size - directory.after)
    seen: set[str] = set()
    for member in directory.members:
        if member.name.lower() in seen:
            detail = Saying("problem.zip.duplicate", name=member.name)
            yield Problem(kind="duplicate", detail=detail, offset=member.offset)
        seen.add(member.name.lower())
        if member.is_encrypted:
            yield Problem(kind="malformed", detail=Saying("error.zip.encrypted"), offset=member.offset)
        if distant(source) is None and not is_named_alike(source, member):
            detail = Saying("error.zip.local", name=member.name)
            yield Problem(kind="malformed", detail=detail, offset=member.offset)
        if distant(source) is None:
            yield from _disagreements(source, member)


def _disagreements(source: Source, member: Member) -> Iterator[Problem]:
    """Two accounts of a member, or bytes that are not those its checksum was made of."""
    if (field := differing(source, member)) is not None:
        detail = Saying("problem.zip.differing", name=member.name, field=field)
        yield Problem(kind="malformed", detail=detail, offset=member.offset)
    elif member.nbytes <= MOST_SUMMED and not is_summed_right(source, member):
        yield Problem(kind="malformed", detail=Saying("problem.zip.crc", name=member.name), offset=member.offset)


def _placed(
    tensor: Rebuilt, root: str, members: dict[str, Member], source: Source, problems: list[Problem]
) -> TensorInfo:
    """The tensor with its place in the file; a storage missing or too short for it is a Problem."""
    if tensor.storage is None:
        return tensor.info(None)
    member = members.get(f"{root}data/{tensor.storage.key}".lower())
    if member is None:
        detail = Saying("problem.torch.no_storage", name=tensor.name, key=tensor.storage.key)
        problems.append(Problem(kind="truncated", detail=detail))
        return tensor.info(None)
    start = data_offset(source, member) if distant(source) is None else None
    there = member.nbytes if member.method else min(member.packed, member.nbytes, max(source.size - (start or 0), 0))
    if tensor.last > there:
        detail = Saying("problem.torch.outside", name=tensor.name, needed=tensor.last, nbytes=there)
        problems.append(Problem(kind="out-of-bounds", detail=detail, offset=member.offset))
    return tensor.info(None if member.method else start)


def _unfetched(directory: Directory) -> Iterator[Problem]:
    """Of a file far away the storages stay where they are: each would cost a request."""
    count = sum(not member.name.lower().endswith(".pkl") for member in directory.members)
    if count:
        yield Problem(kind="left-there", detail=Saying("problem.torch.left_there", count=count))


FORMAT = Format(
    name="pytorch",
    suffixes=(".pt", ".pth", ".bin", ".ckpt"),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("storage_bytes",),
)
SCRIPT = Format(
    name="torchscript",
    suffixes=(".pt", ".pth"),
    matches=matches_script,
    read=read_script,
    examine=examine,
    not_covered=("storage_bytes", "torchscript_code"),
)
