"""Weigh one reference: name, contents, truth and safety in one Report."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from weigh.app.examine import MOST_OBSERVATIONS, examine_whole, problem_of
from weigh.app.steps import next_steps
from weigh.core.errors import FormatError, SourceError, WeighError
from weigh.core.finding import VERDICTS, Finding, Skip, Verdict
from weigh.core.format import Format
from weigh.core.header import Header, Problem
from weigh.core.model import Model, ModelFile
from weigh.core.name import Name
from weigh.core.observation import Observation
from weigh.core.reference import Reference
from weigh.core.report import Failure, FileReport, Report
from weigh.core.rule import Evidence, Examined
from weigh.core.schema import SCHEMA
from weigh.core.source import Entry, Listing
from weigh.describe.compare import compare
from weigh.describe.merge import merge
from weigh.formats import FOLDER_FORMATS
from weigh.formats.unknown import private
from weigh.knowledge.signatures import Signature
from weigh.names.decode import decode
from weigh.names.reference import parse, text_of_name
from weigh.rules import judge
from weigh.sources.file import FileSource
from weigh.sources.folder import Folder

if TYPE_CHECKING:
    from weigh.app.network import Network

_PATH_STARTS = ("/", "./", "../", "~", "\\", ".\\")  # what no model's name begins with


def weigh(text: str, network: Network | None = None, *, signatures: tuple[Signature, ...] = ()) -> Report:
    """The whole report on a name, a file, a folder or what lies on a hub; without a network no connection is opened.

    `signatures` name a company's own formats. What could not be done is in `error`, never raised.
    """
    reference = Reference(text=text, hub="name", name=text)
    try:
        reference = parse(text, exists=os.path.lexists)
        return _weigh(reference, network, tuple(map(private, signatures)))
    except WeighError as error:
        failure = Failure(message=error.saying, path=error.path, offset=error.offset)
        return Report(schema=SCHEMA, reference=reference, verdict="incomplete", error=failure)


def take_apart(text: str) -> Name:
    """The name alone."""
    return decode(text)


def _weigh(reference: Reference, network: Network | None, own: tuple[Format, ...]) -> Report:
    text = text_of_name(reference)
    name = decode(text) if text else None
    match reference.hub:
        case "path" if Path(reference.name).is_dir():
            return _judged(reference, name, _examine_folder(Folder(reference.name), own))
        case "path":
            with FileSource(reference.name) as source:
                return _judged(reference, name, Evidence(files=tuple(examine_whole(source, own))))
        case "name" if reference.text.startswith(_PATH_STARTS):
            raise SourceError("no_such_path", path=reference.text)
        case "name":
            report = Report(schema=SCHEMA, reference=reference, name=name)
        case "hf" | "ms" | "http" | "https":
            return _weigh_far(reference, network, own)
        case _:
            skip = Skip(rule="coverage", path=str(reference), reason="not-fetched", matters=True)
            report = Report(schema=SCHEMA, reference=reference, name=name, verdict="incomplete", skips=(skip,))
    return msgspec.structs.replace(report, next_steps=next_steps(report))


def _weigh_far(reference: Reference, network: Network | None, own: tuple[Format, ...]) -> Report:
    """What lies on a hub or at an address, by the headers of its files alone."""
    if network is None:
        raise SourceError("http.offline", path=str(reference))
    from weigh.app.remote import gather  # with it comes all that reaches out

    # Time spent waiting for a server is not effort.
    whole = functools.partial(examine_whole, own=own, clock=time.thread_time)
    reference, evidence, left = gather(reference, network, whole, _folder)
    text = text_of_name(reference)
    return _judged(reference, decode(text) if text else None, evidence, left)


def _examine_folder(listing: Folder, own: tuple[Format, ...]) -> Evidence:
    if not listing.entries:
        raise SourceError("empty_folder", path=listing.path)
    files = [file for entry in listing.entries for file in _examine_entry(listing, entry, own)]
    return Evidence(files=tuple(files), folder=_folder(listing))


def _examine_entry(listing: Folder, entry: Entry, own: tuple[Format, ...]) -> list[Examined]:
    try:
        with listing.open(entry.path) as source:
            return examine_whole(source, own)
    except SourceError as error:
        return [Examined(path=entry.path, format="unknown", nbytes=entry.nbytes, problems=(problem_of(error),))]


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


def _judged(reference: Reference, name: Name | None, evidence: Evidence, left: tuple[Skip, ...] = ()) -> Report:
    """`left` is what nobody looked at, known before any rule is asked."""
    files = tuple(
        ModelFile(path=file.path, format=file.format, nbytes=file.nbytes, header=file.header) for file in evidence.files
    )
    folder = evidence.folder.header if evidence.folder else None
    model = merge(files, folder, name)
    claims = compare(name, model) if name is not None else ()
    findings, skips = judge(Evidence(files=evidence.files, folder=evidence.folder, model=model, claims=claims))
    skips = left + skips
    accounts = _accounts(evidence.files, findings, skips)
    report = Report(
        schema=SCHEMA,
        reference=reference,
        verdict=worst([*(file.verdict for file in accounts), *_verdicts(findings, skips)]),
        format=_format(evidence, model),
        name=name,
        model=model,
        files=accounts,
        claims=claims,
        findings=findings,
        skips=skips,
    )
    return msgspec.structs.replace(report, next_steps=next_steps(report))


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them; clean where there are none."""
    return min(verdicts, key=VERDICTS.index, default="clean")


def _accounts(
    files: tuple[Examined, ...], findings: tuple[Finding, ...], skips: tuple[Skip, ...]
) -> tuple[FileReport, ...]:
    """One a file; what is found inside a container is the container's as well."""
    found: dict[str, list[Finding]] = {}
    missed: dict[str, list[Skip]] = {}
    for finding in findings:
        for path in _around(finding.path):
            found.setdefault(path, []).append(finding)
    for skip in skips:
        for path in _around(skip.path):
            missed.setdefault(path, []).append(skip)
    return tuple(_account(file, found.get(file.path, []), missed.get(file.path, [])) for file in files)


def _around(path: str) -> Iterator[str]:
    """The path and, for a member, those of all containers it lies in."""
    yield path
    while "!/" in path:
        path = path.rpartition("!/")[0]
        yield path


def _account(file: Examined, findings: list[Finding], skips: list[Skip]) -> FileReport:
    return FileReport(
        path=file.path,
        format=file.format,
        nbytes=file.nbytes,
        verdict=worst(_verdicts(findings, skips)),
        covered=not any(skip.matters for skip in skips),
    )


def _verdicts(findings: Iterable[Finding], skips: Iterable[Skip]) -> Iterator[Verdict]:
    yield from (finding.verdict for finding in findings if finding.verdict is not None)
    if any(skip.matters for skip in skips):
        yield "incomplete"


def _format(evidence: Evidence, model: Model) -> str:
    if evidence.folder is not None:
        return evidence.folder.format
    first = evidence.files[0]
    if all(file.path.startswith(f"{first.path}!/") for file in evidence.files[1:]):
        return first.format
    return model.format.value if model.format is not None else "unknown"
