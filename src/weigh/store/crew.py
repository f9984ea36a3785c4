"""Several files at a time, by threads that end when all is to end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from weigh.core.errors import WeighError
from weigh.sources.refusals import Refused

T = TypeVar("T")
R = TypeVar("R")
MOST_FAILED = 4  # files after which a server is left alone
TICK = 0.1
LAST_SECONDS = 2.0  # that an interrupted thread has to write down what came


class Stopped(Exception):
    """All is to end."""


class Crew(Generic[T, R]):
    """`jobs` at a time do `work`; `end` is called to wake whoever waits for the network when all is to end."""

    def __init__(self, work: Callable[[T], R], *, jobs: int, stop: threading.Event, end: Callable[[], None]) -> None:
        self._work = work
        self._jobs = jobs
        self._stop = stop
        self._end = end
        self._lock = threading.Lock()
        self._failures: list[BaseException] = []

    def run(self, tasks: Sequence[T], tick: Callable[[], None]) -> list[R]:
        """What came of each, in order; `tick` is called all along. Raises the first failure once nothing runs."""
        results: list[R | None] = [None] * len(tasks)
        pending = list(reversed(list(enumerate(tasks))))
        threads = [
            threading.Thread(target=self._labour, args=(pending, results), daemon=True)
            for _ in range(min(self._jobs, len(tasks)))
        ]
        for thread in threads:
            thread.start()
        try:
            while any(thread.is_alive() for thread in threads):
                next(thread for thread in threads if thread.is_alive() or thread is threads[-1]).join(TICK)
                tick()
        except BaseException:
            self._stop.set()
            self._end()
            for thread in threads:
                thread.join(LAST_SECONDS / len(threads))
            raise
        if self._failures:
            raise self._failures[0]
        return [result for result in results if result is not None]

    def _labour(self, pending: list[tuple[int, T]], results: list[R | None]) -> None:
        while True:
            with self._lock:
                if not pending or self._stop.is_set():
                    return
                at, task = pending.pop()
            try:
                results[at] = self._work(task)
            except Stopped:
                return
            except BaseException as error:  # told to whoever runs the crew
                with self._lock:
                    self._failures.append(error)
                    if not _may_go_on(error) or len(self._failures) >= MOST_FAILED:
                        pending.clear()


def _may_go_on(error: BaseException) -> bool:
    """One file that is not given leaves the others to be had; a refusal or a full disk does not."""
    return isinstance(error, WeighError) and not isinstance(error, Refused) and error.saying.key != "error.store.full"
