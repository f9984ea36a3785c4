"""Weigh one reference: name, contents, truth and safety in one Report."""

from __future__ import annotations

import functools
import os
import posixpath
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from weigh.app.beside import missing_shards, on_disk, with_what_is_beside
from weigh.app.examine import MOST_OBSERVATIONS, examine_whole, problem_of
from weigh.app.judge import judged, name_of
from weigh.app.steps import next_steps
from weigh.app.wish import PLAIN, Weighed, Wish
from weigh.core.errors import FormatError, SourceError, WeighError
from weigh.core.finding import Skip
from weigh.core.format import Format
from weigh.core.header import Header, Problem
from weigh.core.name import Name
from weigh.core.observation import Observation
from weigh.core.reference import Reference
from weigh.core.report import Failure, Report
from weigh.core.rule import Evidence, Examined
from weigh.core.saying import Saying
from weigh.core.schema import SCHEMA
from weigh.core.source import Entry, Listing, Source
from weigh.formats import folder_formats
from weigh.knowledge.signatures import Signature
from weigh.names.decode import decode
from weigh.names.reference import parse
from weigh.sources.file import FileSource
from weigh.sources.folder import Folder

if TYPE_CHECKING:
    from weigh.app.network import Network

FEW = 32  # files that are not worth further processes
_PATH_STARTS = ("/", "./", "../", "~", "\\", ".\\")  # what no model's name begins with

Tell = Callable[[int, int], None]


def weigh(text: str, network: Network | None = None, *, signatures: tuple[Signature, ...] = ()) -> Report:
    """The whole report on a name, a file, a folder or what lies on a hub; without a network no connection is opened.

    `signatures` name a company's own formats. What could not be done is in `error`, never raised.
    """
    return weigh_as(text, Wish(signatures=signatures) if signatures else PLAIN, network).report


def weigh_as(text: str, wish: Wish, network: Network | None = None, tell: Tell | None = None) -> Weighed:
    """The same, as wished; `tell` is called with the files done and their number."""
    reference = Reference(text=text, hub="name", name=text)
    try:
        reference = parse(text, exists=os.path.lexists)
        return _weigh(reference, wish, network, tell or _say_nothing)
    except WeighError as error:
        failure = Failure(message=error.saying, path=error.path, offset=error.offset)
        return Weighed(report=Report(schema=SCHEMA, reference=reference, verdict="incomplete", error=failure))


def take_apart(text: str) -> Name:
    """The name alone."""
    return decode(text)


def _say_nothing(done: int, number: int) -> None:
    """Nobody asked."""


def _weigh(reference: Reference, wish: Wish, network: Network | None, tell: Tell) -> Weighed:
    match reference.hub:
        case "path":
            evidence = _here(reference.name, wish, tell)
            with ExitStack() as opened:
                again = functools.partial(_again, reference.name, opened)
                return judged(reference, evidence, wish.allow, opened=again)
        case "name" if reference.text.startswith(_PATH_STARTS):
            raise SourceError("no_such_path", path=reference.text)
        case "name":
            report = Report(schema=SCHEMA, reference=reference, name=name_of(reference))
        case "hf" | "ms" | "http" | "https":
            return _far(reference, wish, network)
        case _:
            skip = Skip(rule="coverage", path=str(reference), reason="not-fetched", matters=True)
            report = Report(
                schema=SCHEMA, reference=reference, name=name_of(reference), verdict="incomplete", skips=(skip,)
            )
    return Weighed(report=msgspec.structs.replace(report, next_steps=next_steps(report)))


def _here(path: str, wish: Wish, tell: Tell) -> Evidence:
    """A file or a folder on this machine."""
    if os.path.isdir(path):
        return _examine_folder(Folder(path), wish, tell)
    if path in wish.leave_out:
        return Evidence(files=(_left_out(path, 0),))
    with FileSource(path) as source:
        files = examine_whole(source, _own(wish))
    return Evidence(files=with_what_is_beside(files, on_disk))


def _again(root: str, opened: ExitStack, path: str) -> Source:
    """One of the files once more, until all are closed together. Raises SourceError."""
    if os.path.isdir(root):
        return opened.enter_context(Folder(root).open(path))
    return opened.enter_context(FileSource(path))


def _own(wish: Wish) -> tuple[Format, ...]:
    """The company's own formats."""
    if not wish.signatures:
        return ()
    from weigh.formats.unknown import private  # as it is loaded for hardly a file

    return tuple(map(private, wish.signatures))


def _far(reference: Reference, wish: Wish, network: Network | None) -> Weighed:
    """What lies on a hub or at an address, by the headers of its files alone."""
    if network is None:
        raise SourceError("http.offline", path=str(reference))
    from weigh.app.remote import gather  # with it comes all that reaches out

    own = _own(wish)
    whole = functools.partial(examine_whole, own=own)
    reference, evidence, left = gather(reference, network, whole, _folder)
    return judged(reference, evidence, wish.allow, left)


def _examine_folder(listing: Folder, wish: Wish, tell: Tell) -> Evidence:
    if not listing.entries:
        raise SourceError("empty_folder", path=listing.path)
    files: list[Examined] = []
    for entry, (first, *inside) in _each(listing, wish, tell):
        files += [_linked(first, entry), *inside]
    sizes = {entry.path: entry.nbytes for entry in listing.entries}
    lacking = dict(missing_shards(sizes))
    files = [_lacking(file, lacking.get(file.path)) for file in files]
    return Evidence(files=with_what_is_beside(files, sizes.get), folder=_folder(listing))


def _lacking(file: Examined, problem: Problem | None) -> Examined:
    return file if problem is None else msgspec.structs.replace(file, problems=(*file.problems, problem))


def _each(listing: Folder, wish: Wish, tell: Tell) -> Iterator[tuple[Entry, list[Examined]]]:
    """Every entry with what it is and contains, in order; by several processes where there are many."""
    entries, number = listing.entries, len(listing.entries)
    one = functools.partial(_examine_entry, listing, wish)
    if wish.jobs > 1 and number >= FEW:
        from concurrent.futures import ProcessPoolExecutor

        with ProcessPoolExecutor(wish.jobs) as pool:
            for done, files in enumerate(pool.map(one, entries, chunksize=max(number // (wish.jobs * 8), 1)), 1):
                tell(done, number)
                yield entries[done - 1], files
        return
    for done, entry in enumerate(entries, 1):
        yield entry, one(entry)
        tell(done, number)


def _examine_entry(listing: Folder, wish: Wish, entry: Entry) -> list[Examined]:
    if entry.path in wish.leave_out:
        return [_left_out(entry.path, entry.nbytes)]
    try:
        with listing.open(entry.path) as source:
            return examine_whole(source, _own(wish))
    except SourceError as error:
        return [Examined(path=entry.path, format="unknown", nbytes=entry.nbytes, problems=(problem_of(error),))]


def _left_out(path: str, nbytes: int) -> Examined:
    """Its reader died of it: nothing of it was seen."""
    problem = Problem(kind="over-budget", detail=Saying("problem.reader_died"))
    return Examined(path=path, format="unknown", nbytes=nbytes, problems=(problem,))


def _linked(file: Examined, entry: Entry) -> Examined:
    """A link is told as a path, seen from the root of the folder."""
    if entry.link is None:
        return file
    target = posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), entry.link.replace("\\", "/")))
    seen = Observation(kind="external_path", value=target, where="link")
    return msgspec.structs.replace(file, observations=(*file.observations, seen))


def _folder(listing: Listing) -> Examined | None:
    for format in folder_formats():
        if not format.matches(listing):
            continue
        nbytes = sum(entry.nbytes for entry in listing.entries)
        problems: tuple[Problem, ...] = ()
        observations: list[Observation] = []
        header: Header | None = None
        try:
            header = format.read(listing)
            problems = header.problems
            observations += islice(format.examine(listing, header), MOST_OBSERVATIONS)
        except (FormatError, SourceError) as error:
            problems += (problem_of(error),)
        return Examined(
            path=".",
            format=format.name,
            nbytes=nbytes,
            header=header,
            problems=problems,
            observations=tuple(observations),
        )
    return None
