"""How far a pull is, on standard error."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from weigh.app.pull import Watch
from weigh.text import Language, say

if TYPE_CHECKING:
    from rich.progress import Progress

    from weigh.store.plan import Plan

SHOWN_AFTER = 1.0  # seconds


class Screen:
    """A bar once it takes longer than a moment; nothing where nobody looks."""

    def __init__(self, plan: Plan, language: Language, *, shown: bool) -> None:
        self.watch = Watch(self._here, self._waits, self._tick, self._begin)
        self._total = plan.nbytes
        self._count = len(plan.items)
        self._language: Language = language
        self._shown = shown
        self._started = time.monotonic()
        self._bytes: dict[str, int] = {}
        self._said = say("pull.fetching", language, count=self._count)
        self._lock = threading.Lock()
        self._progress: Progress | None = None

    def close(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _here(self, path: str, nbytes: int) -> None:
        with self._lock:
            self._bytes[path] = nbytes

    def _waits(self, path: str) -> None:
        self._said = say("pull.waiting", self._language, path=path)

    def _begin(self, stage: str) -> None:
        if stage == "check":
            self._said = say("pull.checking", self._language)
            self._tick()

    def _tick(self) -> None:
        if not self._shown or time.monotonic() - self._started < SHOWN_AFTER:
            return
        if self._progress is None:
            self._progress = bar(self._total)
        with self._lock:
            done = sum(self._bytes.values())
        self._progress.update(self._progress.task_ids[0], completed=done, description=self._said)


def bar(total: int) -> Progress:
    """Of bytes; nothing but the caller's own updates moves it."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    progress.add_task("", total=total or None)
    progress.start()
    return progress
