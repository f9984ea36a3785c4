"""How far a long task is, on standard error of a terminal, once it takes longer than a second."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENCE = 1.0


class Bar:
    """Nothing at all until a second has passed; nothing where nobody watches."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._is_shown = not quiet and sys.stderr.isatty()
        self._since = time.monotonic()
        self._bar: Progress | None = None

    def show(self, done: int, number: int) -> None:
        """So many of so many."""
        if not self._is_shown or (self._bar is None and time.monotonic() - self._since < PATIENCE):
            return
        if self._bar is None:
            from rich.console import Console
            from rich.progress import Progress

            self._bar = Progress(console=Console(stderr=True), transient=True)
            self._bar.add_task("", total=number)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=done, total=number)

    def end(self) -> None:
        """Gone from the screen."""
        if self._bar is not None:
            self._bar.stop()
