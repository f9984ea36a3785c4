"""Weigh one reference: name, contents, truth and safety in one Report."""

from __future__ import annotations

import functools
import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

from weigh.app.steps import next_steps
from weigh.core.errors import FormatError, OverBudget, SourceError, Truncated, WeighError
from weigh.core.finding import VERDICTS, Finding, Skip, Verdict
from weigh.core.format import Format
from weigh.core.header import Header, Problem
from weigh.core.model import Model, ModelFile
from weigh.core.name import Name
from weigh.core.observation import Observation
from weigh.core.reference import Reference
from weigh.core.report import Failure, FileReport, Report
from weigh.core.rule import Evidence, Examined
from weigh.core.saying import Saying
from weigh.core.schema import SCHEMA
from weigh.core.source import Entry, Listing, Source
from weigh.core.value import Value
from weigh.describe.compare import compare
from weigh.describe.merge import merge
from weigh.formats import FOLDER_FORMATS, detect
from weigh.knowledge.imports import tier_of
from weigh.names.decode import decode
from weigh.names.reference import parse, text_of_name
from weigh.rules import judge
from weigh.sources.file import FileSource
from weigh.sources.folder import Folder

MOST_OBSERVATIONS = 100_000
FEW = 32  # files that are not worth further processes
_PATH_STARTS = ("/", "./", "../", "~", "\\", ".\\")  # what no model's name begins with


class Wish(Value, frozen=True, kw_only=True):
    """How to weigh: names that pickles may import all the same, files to leave out (their reader died), how many
    files at a time."""

    allow: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    jobs: int = 1


class Named(Value, frozen=True, kw_only=True):
    """A name that the pickles of a file import, and how it is known; `allowed` by whoever asked."""

    name: str
    tier: Literal["safe", "dangerous", "unknown", "allowed"]
    path: str


class Weighed(Value, frozen=True, kw_only=True):
    """A report and the imports behind it."""

    report: Report
    imports: tuple[Named, ...] = ()


PLAIN = Wish()


def weigh(text: str) -> Report:
    """The whole report on a name, a file or a folder; what could not be done is in `error`, never raised."""
    return weigh_as(text, PLAIN).report


def weigh_as(text: str, wish: Wish, tell: Callable[[int, int], None] | None = None) -> Weighed:
    """The same, as wished; `tell` is called with the files done and their number."""
    reference = Reference(text=text, hub="name", name=text)
    try:
        reference = parse(text, exists=os.path.lexists)
        return _weigh(reference, wish, tell or _say_nothing)
    except WeighError as error:
        failure = Failure(message=error.saying, path=error.path, offset=error.offset)
        return Weighed(report=Report(schema=SCHEMA, reference=reference, verdict="incomplete", error=failure))


def _say_nothing(done: int, number: int) -> None:
    """Nobody asked."""


def take_apart(text: str) -> Name:
    """The name alone."""
    return decode(text)


def _weigh(reference: Reference, wish: Wish, tell: Callable[[int, int], None]) -> Weighed:
    text = text_of_name(reference)
    name = decode(text) if text else None
    match reference.hub:
        case "path" if Path(reference.name).is_dir():
            return _judged(reference, name, _examine_folder(Folder(reference.name), wish, tell), wish)
        case "path" if reference.name in wish.leave_out:
            return _judged(reference, name, Evidence(files=(_left_out(reference.name, 0),)), wish)
        case "path":
            with FileSource(reference.name) as source:
                return _judged(reference, name, Evidence(files=(examine(source),)), wish)
        case "name" if reference.text.startswith(_PATH_STARTS):
            raise SourceError("no_such_path", path=reference.text)
        case "name":
            report = Report(schema=SCHEMA, reference=reference, name=name)
        case _:
            skip = Skip(rule="coverage", path=str(reference), reason="not-fetched", matters=True)
            report = Report(schema=SCHEMA, reference=reference, name=name, verdict="incomplete", skips=(skip,))
    return Weighed(report=msgspec.structs.replace(report, next_steps=next_steps(report)))


def examine(source: Source) -> Examined:
    """One file read and examined; what ends the reading becomes a Problem of what was seen until then."""
    problems: list[Problem] = []
    observations: list[Observation] = []
    header: Header | None = None
    kind = "unknown"
    try:
        format = detect(source)
        kind = format.name
        header = format.read(source)
        problems += header.problems
        observations += islice(format.examine(source, header), MOST_OBSERVATIONS)
    except (FormatError, SourceError) as error:
        problems.append(Problem(kind=_kind(error), detail=error.saying, offset=error.offset))
        if header is None:
            observations += _seen_all_the_same(source, format) if kind != "unknown" else ()
    return Examined(
        path=source.path,
        format=kind,
        nbytes=source.size,
        header=header,
        problems=tuple(problems),
        observations=tuple(observations),
    )


def _seen_all_the_same(source: Source, format: Format) -> Iterator[Observation]:
    """A header that cannot be read does not excuse us from looking: a loader may run what stands before the break."""
    try:
        yield from islice(format.examine(source, Header(format=format.name)), MOST_OBSERVATIONS)
    except (FormatError, SourceError):
        return


def _kind(error: WeighError) -> str:
    match error:
        case Truncated():
            return "truncated"
        case OverBudget():
            return "over-budget"
        case FormatError():
            return "malformed"
        case _:
            return "unreadable"


def _examine_folder(listing: Folder, wish: Wish, tell: Callable[[int, int], None]) -> Evidence:
    if not listing.entries:
        raise SourceError("empty_folder", path=listing.path)
    files = tuple(_linked(file, entry) for file, entry in _each(listing, wish, tell))
    return Evidence(files=files, folder=_folder(listing))


def _each(listing: Folder, wish: Wish, tell: Callable[[int, int], None]) -> Iterator[tuple[Examined, Entry]]:
    """Every file with its entry, in order; by several processes where there are many."""
    entries, number = listing.entries, len(listing.entries)
    one = functools.partial(_examine_entry, listing, wish.leave_out)
    if wish.jobs > 1 and number >= FEW:
        from concurrent.futures import ProcessPoolExecutor

        with ProcessPoolExecutor(wish.jobs) as pool:
            for done, file in enumerate(pool.map(one, entries, chunksize=max(number // (wish.jobs * 8), 1)), 1):
                tell(done, number)
                yield file, entries[done - 1]
        return
    for done, entry in enumerate(entries, 1):
        yield one(entry), entry
        tell(done, number)


def _examine_entry(listing: Folder, leave_out: tuple[str, ...], entry: Entry) -> Examined:
    if entry.path in leave_out:
        return _left_out(entry.path, entry.nbytes)
    try:
        with listing.open(entry.path) as source:
            return examine(source)
    except SourceError as error:
        problem = Problem(kind="unreadable", detail=error.saying)
        return Examined(path=entry.path, format="unknown", nbytes=entry.nbytes, problems=(problem,))


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
    for format in FOLDER_FORMATS:
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
            problems += (Problem(kind=_kind(error), detail=error.saying, offset=error.offset),)
        return Examined(
            path=".",
            format=format.name,
            nbytes=nbytes,
            header=header,
            problems=problems,
            observations=tuple(observations),
        )
    return None


def _judged(reference: Reference, name: Name | None, evidence: Evidence, wish: Wish) -> Weighed:
    imports = tuple(_imports(evidence, wish.allow))
    files = tuple(
        ModelFile(path=file.path, format=file.format, nbytes=file.nbytes, header=file.header) for file in evidence.files
    )
    folder = evidence.folder.header if evidence.folder else None
    model = merge(files, folder, name)
    claims = compare(name, model) if name is not None else ()
    judged = tuple(_allowing(file, wish.allow) for file in evidence.files)
    findings, skips = judge(Evidence(files=judged, folder=evidence.folder, model=model, claims=claims))
    accounts = tuple(account(file.path, file.format, file.nbytes, findings, skips) for file in evidence.files)
    report = Report(
        schema=SCHEMA,
        reference=reference,
        verdict=worst([*(file.verdict for file in accounts), *verdicts(findings, skips)]),
        format=_format(evidence, model),
        name=name,
        model=model,
        files=accounts,
        claims=claims,
        findings=findings,
        skips=skips,
    )
    return Weighed(report=msgspec.structs.replace(report, next_steps=next_steps(report)), imports=imports)


def _allowing(file: Examined, allow: tuple[str, ...]) -> Examined:
    """Without the imports that whoever asks allows."""
    if not allow:
        return file
    kept = tuple(one for one in file.observations if one.kind != "import" or one.value.replace(" ", ".") not in allow)
    return msgspec.structs.replace(file, observations=kept)


def _imports(evidence: Evidence, allow: tuple[str, ...]) -> Iterator[Named]:
    """Every name once a file, sorted."""
    for file in evidence.files:
        for value in sorted({one.value for one in file.observations if one.kind == "import"}):
            module, _, name = value.partition(" ")
            tier = "allowed" if f"{module}.{name}" in allow else tier_of(module, name)
            yield Named(name=f"{module}.{name}", tier=tier, path=file.path)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them; clean where there are none."""
    return min(verdicts, key=VERDICTS.index, default="clean")


def account(path: str, format: str, nbytes: int, findings: Sequence[Finding], skips: Sequence[Skip]) -> FileReport:
    """One file by what was found and missed in it."""
    mine = [finding for finding in findings if finding.path == path]
    missed = [skip for skip in skips if skip.path == path]
    return FileReport(
        path=path,
        format=format,
        nbytes=nbytes,
        verdict=worst(verdicts(mine, missed)),
        covered=not any(skip.matters for skip in missed),
    )


def verdicts(findings: Iterable[Finding], skips: Iterable[Skip]) -> Iterator[Verdict]:
    yield from (finding.verdict for finding in findings if finding.verdict is not None)
    if any(skip.matters for skip in skips):
        yield "incomplete"


def _format(evidence: Evidence, model: Model) -> str:
    if evidence.folder is not None:
        return evidence.folder.format
    if model.format is not None:
        return model.format.value
    return evidence.files[0].format if len(evidence.files) == 1 else "unknown"
