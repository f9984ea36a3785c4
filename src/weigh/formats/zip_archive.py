"""A ZIP archive that is no model format of its own: its members are opened, each by what it holds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from weigh.codecs import zstandard
from weigh.codecs.entries import slips
from weigh.codecs.likeness import likeness_of_members
from weigh.codecs.zip import (
    OPENED,
    STORED,
    ZSTD,
    Directory,
    Member,
    is_named_alike,
    open_beginning,
    read_directory,
)
from weigh.codecs.zip_sums import wrong_sums
from weigh.core.errors import FormatError, Malformed
from weigh.core.format import Format
from weigh.core.header import Header, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.sources.memory import FailedSource

MOST_LINKS, MOST_LINK = 200, 4096  # links followed to their text, bytes of one
MOST_COMPARED = 2000  # local headers held against the directory
BOMB_NBYTES, BOMB_RATIO = 1 << 30, 100
_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def matches(source: Source) -> bool:
    """A local header, the end record of an empty archive, or the mark of a spanned one stands first."""
    return source.read(0, 4) in _STARTS


def read(source: Source) -> Header:
    """How much is in it, and what about its directory makes readers differ. Raises FormatError."""
    directory = read_directory(source)
    if not directory.members:
        raise Malformed("zip.empty", path=source.path, offset=0)
    files = [member for member in directory.members if not member.name.endswith("/")]
    like = likeness_of_members(member.name for member in files)
    return Header(
        format="zip",
        metadata={
            "members": len(files),
            "nbytes": sum(member.nbytes for member in files),
            "packed": sum(member.packed for member in files),
            "methods": tuple(sorted({member.method for member in files})),
            **({"looks_like": like.id, "tool": like.tool} if like is not None else {}),
        },
        problems=tuple(_problems(source, directory)),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Names that lead out of the archive; source code in it. What the members hold is seen in the members."""
    members = read_directory(source).members
    yield from (seen for seen, _ in slips(_names(source, members)))
    for member in members:
        if member.name.endswith(".py"):
            yield Observation(kind="code", value=member.name, where=member.name, offset=member.offset)


def members(source: Source) -> Iterator[Source]:
    """Every file that can be opened; bytes that several entries share are opened once."""
    seen: set[tuple[int, int]] = set()
    for member in read_directory(source).members:
        if (
            (member.name.endswith("/") and not member.packed)
            or _closed(member) is not None
            or (member.offset, member.packed) in seen
        ):
            continue
        seen.add((member.offset, member.packed))
        try:
            opened = open_beginning(source, member)
        except FormatError as error:
            opened = FailedSource(error, path=f"{source.path}!/{member.name}", size=member.nbytes)
        yield opened


def _names(source: Source, members: tuple[Member, ...]) -> Iterator[tuple[str, str | None, int]]:
    """With where the links among them lead, of the first so many."""
    links = 0
    for member in members:
        link = None
        if member.is_link and links < MOST_LINKS and _closed(member) is None and 0 < member.packed < MOST_LINK:
            links += 1
            with contextlib.suppress(FormatError):  # told where it is opened
                link = open_beginning(source, member).read(0, MOST_LINK).decode("utf-8", "backslashreplace")
        yield member.name, link, member.offset


def _closed(member: Member) -> Problem | None:
    """Why this member cannot be opened here."""
    if member.is_encrypted:
        detail = Saying("problem.archive.encrypted", name=member.name)
        return Problem(kind="encrypted", detail=detail, offset=member.offset)
    if member.method in (STORED, *OPENED) or (member.method == ZSTD and zstandard.is_installed()):
        return None
    detail = Saying("problem.archive.method", name=member.name, method=str(member.method))
    return Problem(kind="not-decoded", detail=detail, offset=member.offset)


def _problems(source: Source, directory: Directory) -> Iterator[Problem]:
    yield from _outside(source, directory)
    yield from _doubles(directory)
    yield from _overlaps(directory)
    yield from (problem for member in directory.members if (problem := _closed(member)) is not None)
    yield from (problem for _, problem in slips(_names(source, directory.members)))
    for member in directory.members[:MOST_COMPARED]:
        if (problem := _local(source, member)) is not None:
            yield problem
    yield from wrong_sums(source, directory.members)
    nbytes = sum(member.nbytes for member in directory.members)
    if nbytes > BOMB_NBYTES and nbytes > BOMB_RATIO * source.size:
        yield Problem(kind="over-budget", detail=Saying("problem.archive.bomb", size=source.size, nbytes=nbytes))


def _outside(source: Source, directory: Directory) -> Iterator[Problem]:
    if directory.before:
        yield Problem(kind="gap", detail=Saying("problem.archive.before", nbytes=directory.before), offset=0)
    if directory.after:
        offset = source.size - directory.after
        yield Problem(kind="trailing", detail=Saying("problem.archive.behind", nbytes=directory.after), offset=offset)


def _doubles(directory: Directory) -> Iterator[Problem]:
    seen: set[str] = set()
    for member in directory.members:
        if member.name in seen:
            detail = Saying("problem.zip.duplicate", name=member.name)
            yield Problem(kind="duplicate", detail=detail, offset=member.offset)
        seen.add(member.name)


def _overlaps(directory: Directory) -> Iterator[Problem]:
    """The first two members that share bytes: how a small archive is made to unpack without end."""
    end = -1
    for member in sorted(directory.members, key=lambda member: member.offset):
        if member.offset < end:
            yield Problem(
                kind="overlap", detail=Saying("problem.archive.overlap", name=member.name), offset=member.offset
            )
            return
        end = member.offset + 30 + member.packed


def _local(source: Source, member: Member) -> Problem | None:
    try:
        if is_named_alike(source, member):
            return None
    except FormatError as error:
        return Problem(kind="malformed", detail=error.saying, offset=member.offset)
    return Problem(kind="malformed", detail=Saying("error.zip.local", name=member.name), offset=member.offset)


FORMAT = Format(
    name="zip",
    suffixes=(".zip", ".mar", ".jar", ".whl", ".apk"),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("member_checksums",),
    is_model=False,
    members=members,
)
