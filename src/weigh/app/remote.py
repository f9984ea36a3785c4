"""Files on a server examined where they are: several at once, and no longer than the server answers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from weigh.core.finding import Skip
from weigh.core.header import Problem
from weigh.core.rule import Examined
from weigh.core.saying import Saying
from weigh.core.source import Entry, Source
from weigh.hubs.repository import Repository
from weigh.sources.request import NotFetched, Refused

AT_ONCE = 8
MOST_FILES = 1000
MOST_FAILED = 4  # files that a server fails to give before it is left alone
_FAILURES = frozenset({"error.http.cut", "error.http.slow", "error.http.busy"})


def examine_all(
    repository: Repository, examine: Callable[[Source], Examined], progress: Callable[[int, int], None]
) -> tuple[tuple[Examined, ...], tuple[Skip, ...]]:
    """The files nearest the root, sorted by path, and a Skip if there are more.

    Raises Refused: a licence that is not accepted is not accepted for every file.
    """
    near = sorted(repository.entries, key=lambda entry: (entry.path.count("/"), entry.path))[:MOST_FILES]
    entries = sorted(near, key=lambda entry: entry.path)
    walk = _Walk(repository, examine, lambda done: progress(done, len(entries)))
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        try:
            files = tuple(pool.map(walk.file, entries))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    left = len(repository.entries) - len(files)
    return files, (_many(repository),) if left else ()


def _many(repository: Repository) -> Skip:
    detail = Saying("skip.many-files", most=MOST_FILES, count=len(repository.entries))
    return Skip(rule="not-covered", path=".", reason="not-fetched", detail=detail, matters=True)


class _Walk:
    """The files done so far and the failures met, shared by the threads."""

    def __init__(
        self, repository: Repository, examine: Callable[[Source], Examined], progress: Callable[[int], None]
    ) -> None:
        self.repository, self.examine, self.progress = repository, examine, progress
        self.failures: list[Problem] = []
        self.done = 0
        self.lock = threading.Lock()

    def file(self, entry: Entry) -> Examined:
        """One file; after MOST_FAILED failures of the server, only that it failed."""
        if len(self.failures) >= MOST_FAILED:
            return _unfetched(entry, self.failures[0])
        try:
            with self.repository.open(entry.path) as source:
                seen = self.examine(source)
        except Refused:
            raise
        except NotFetched as error:
            seen = _unfetched(entry, Problem(kind="not-fetched", detail=error.saying))
        self.failures += [problem for problem in seen.problems if problem.detail.key in _FAILURES]
        with self.lock:
            self.done += 1
            done = self.done
        self.progress(done)
        return seen


def _unfetched(entry: Entry, problem: Problem) -> Examined:
    return Examined(path=entry.path, format="unknown", nbytes=entry.nbytes, problems=(problem,))
