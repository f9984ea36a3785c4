"""A TAR archive: its members are opened, each by what it holds."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.entries import slips
from weigh.codecs.likeness import likeness_of_members
from weigh.codecs.tar import Entry, end_of, has_end_mark, is_tar, walk
from weigh.codecs.unpacking import MOST_UNPACKED
from weigh.codecs.zip import Window
from weigh.core.errors import FormatError, OverBudget, Truncated
from weigh.core.format import Format
from weigh.core.header import Header, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.sources.memory import CutSource


def matches(source: Source) -> bool:
    """A header whose checksum is right stands first."""
    return is_tar(source)


def read(source: Source) -> Header:
    """How much is in it, as far as it holds; which entries lead out or are no files. Raises FormatError without any."""
    entries, broken = _walked(source)
    if broken is not None and not entries:
        raise broken
    files = [entry for entry in entries if entry.kind in ("file", "sparse")]
    like = likeness_of_members(entry.name for entry in files)
    return Header(
        format="tar",
        metadata={
            "members": len(files),
            "nbytes": sum(entry.nbytes for entry in files),
            "links": sum(entry.link is not None for entry in entries),
            **({"looks_like": like.id, "tool": like.tool} if like is not None else {}),
        },
        problems=tuple(_problems(source, entries, broken)),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Names and links that lead out of the archive; source code in it. Raises FormatError after what was seen."""
    entries, broken = _walked(source)
    yield from (seen for seen, _ in slips(_names(entries)))
    for entry in entries:
        if entry.name.endswith(".py"):
            yield Observation(kind="code", value=entry.name, where=entry.name, offset=entry.offset)
    if broken is not None:
        raise broken


def members(source: Source) -> Iterator[Source]:
    """Every file as a window; of one that breaks off, what is there. Raises FormatError after them."""
    for entry in walk(source):
        if entry.kind != "file":
            continue
        path = f"{source.path}!/{entry.name}"
        if entry.nbytes <= source.size - entry.start:
            yield Window(source, entry.start, entry.nbytes, path=path)
        else:
            yield CutSource(source.read(entry.start, min(entry.nbytes, MOST_UNPACKED)), path=path)


def _walked(source: Source) -> tuple[list[Entry], FormatError | None]:
    """The entries, and what ended them early."""
    entries: list[Entry] = []
    try:
        for entry in walk(source):
            entries.append(entry)
    except FormatError as error:
        return entries, error
    return entries, None


def _names(entries: list[Entry]) -> Iterator[tuple[str, str | None, int]]:
    """A hard link's target is a name in the archive itself, a symbolic one's starts from its own folder."""
    for entry in entries:
        if entry.kind == "hardlink" and entry.link is not None:
            yield entry.name, None, entry.offset
            yield entry.link, None, entry.offset
        else:
            yield entry.name, entry.link, entry.offset


def _problems(source: Source, entries: list[Entry], broken: FormatError | None) -> Iterator[Problem]:
    yield from (problem for _, problem in slips(_names(entries)))
    for entry in entries:
        if entry.kind == "sparse":
            detail = Saying("problem.archive.method", name=entry.name, method="sparse")
            yield Problem(kind="not-decoded", detail=detail, offset=entry.offset)
        if entry.kind == "device":
            yield Problem(kind="malformed", detail=Saying("problem.tar.device", name=entry.name), offset=entry.offset)
    if broken is not None:
        kind = {Truncated: "truncated", OverBudget: "over-budget"}.get(type(broken), "malformed")
        yield Problem(kind=kind, detail=broken.saying, offset=broken.offset)
    elif not has_end_mark(source, entries[-1] if entries else None):
        yield Problem(kind="gap", detail=Saying("problem.tar.no_end"), offset=source.size)
    elif nbytes := end_of(source, entries[-1] if entries else None):
        yield Problem(kind="trailing", detail=Saying("problem.archive.behind", nbytes=nbytes))


FORMAT = Format(
    name="tar",
    suffixes=(".tar", ".nemo"),
    matches=matches,
    read=read,
    examine=examine,
    is_model=False,
    members=members,
)
