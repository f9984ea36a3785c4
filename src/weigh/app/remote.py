"""Files on a server examined where they are: several at once, and no longer than the server answers."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import msgspec

from weigh.app.network import Network
from weigh.core.errors import BadReference, SourceError
from weigh.core.finding import Skip
from weigh.core.header import Problem
from weigh.core.reference import Reference
from weigh.core.rule import Evidence, Examined
from weigh.core.saying import Saying
from weigh.core.source import Entry, Listing, Source
from weigh.hubs import locate
from weigh.hubs.repository import Repository, check_path
from weigh.sources.refusals import NotFetched, Refused
from weigh.store.select import select

AT_ONCE = 6
MOST_FILES = 1000
MOST_FAILED = 4  # files that a server fails to give before it is left alone
_SUFFIX = re.compile(
    r"^[^*?\[]*\.[A-Za-z][A-Za-z0-9]{0,15}$"
)  # of a file by its own name; what else is asked for is looked up
_FAILURES = frozenset({"error.http.cut", "error.http.slow", "error.http.busy", "error.http.failing"})


class Gathered(NamedTuple):
    """The reference as its hub reads it, what was seen, and what nobody looked at."""

    reference: Reference
    evidence: Evidence
    left: tuple[Skip, ...] = ()


def gather(
    reference: Reference,
    network: Network,
    examine: Callable[[Source], list[Examined]],
    examine_folder: Callable[[Listing], Examined | None],
) -> Gathered:
    """One file, one quantisation or folder or what fits a pattern, or the files of a repository nearest its root.
    Raises SourceError.

    A refusal of one file is raised: a licence that is not accepted is not accepted for its neighbours.
    """
    place = locate(reference, network.sites)
    if place is None:
        raise BadReference("reference.hub", text=reference.text, hub=reference.hub)
    reference, hub, site = place
    asked = reference.file
    if hub.list is None or (asked is not None and _SUFFIX.search(asked)):
        with hub.open(reference, site, network.client) as source:
            return Gathered(reference, Evidence(files=tuple(examine(source))))
    if asked is not None:
        check_path(asked, str(reference))
    repository = hub.list(msgspec.structs.replace(reference, file=None), site, network.client)
    if not repository.entries:
        raise SourceError("empty_folder", path=repository.path)
    if asked is not None:
        repository = _chosen(repository, asked, network)
    folder = examine_folder(repository)
    files = _examine_all(repository, examine, network.progress)
    left = (_many(repository),) if len(repository.entries) > MOST_FILES else ()
    return Gathered(reference, Evidence(files=files, folder=folder), left)


def _examine_all(
    repository: Repository, examine: Callable[[Source], list[Examined]], progress: Callable[[int, int], None]
) -> tuple[Examined, ...]:
    near = sorted(repository.entries, key=lambda entry: (entry.path.count("/"), entry.path))[:MOST_FILES]
    entries = sorted(near, key=lambda entry: entry.path)
    walk = _Walk(repository, examine, lambda done: progress(done, len(entries)))
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        try:
            return tuple(seen for file in pool.map(walk.file, entries) for seen in file)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _chosen(repository: Repository, asked: str, network: Network) -> Repository:
    """Of the files those that a pull of the reference would take. Raises SourceError where none is called so."""
    chosen = select({entry.path: entry.nbytes for entry in repository.entries}, asked)
    files = [repository.files[path] for path in chosen.paths]
    return Repository(network.client, repository.path, files, access=repository.access, about=repository.about)


def _many(repository: Repository) -> Skip:
    detail = Saying("skip.many-files", most=MOST_FILES, count=len(repository.entries))
    return Skip(rule="not-covered", path=".", reason="not-fetched", detail=detail, matters=True)


class _Walk:
    """The files done so far and the failures met, shared by the threads."""

    def __init__(
        self, repository: Repository, examine: Callable[[Source], list[Examined]], progress: Callable[[int], None]
    ) -> None:
        self.repository, self.examine, self.progress = repository, examine, progress
        self.failures: list[Problem] = []
        self.done = 0
        self.lock = threading.Lock()

    def file(self, entry: Entry) -> list[Examined]:
        """One file and what it contains; after MOST_FAILED failures of the server, only that it failed."""
        if len(self.failures) >= MOST_FAILED:
            return [_unfetched(entry, self.failures[0])]
        try:
            with self.repository.open(entry.path) as source:
                seen = self.examine(source)
        except Refused:
            raise
        except NotFetched as error:
            seen = [_unfetched(entry, Problem(kind="not-fetched", detail=error.saying))]
        self.failures += [problem for one in seen for problem in one.problems if problem.detail.key in _FAILURES]
        with self.lock:
            self.done += 1
            done = self.done
        self.progress(done)
        return seen


def _unfetched(entry: Entry, problem: Problem) -> Examined:
    return Examined(path=entry.path, format="unknown", nbytes=entry.nbytes, problems=(problem,))
