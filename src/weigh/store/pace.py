"""How fast bytes may come: one allowance that all connections share."""

from __future__ import annotations

import threading
from collections.abc import Callable

SMALL = 1 << 14  # bytes at a time where there is a limit, so that it is kept smoothly


class Pace:
    """`rate` in bytes a second, None for as fast as it goes. `now` and `wait` are the clock."""

    def __init__(self, rate: int | None, now: Callable[[], float], wait: Callable[[float], None]) -> None:
        self.rate = rate
        self._now = now
        self._wait = wait
        self._free = 0.0
        self._lock = threading.Lock()

    def piece(self, wanted: int) -> int:
        """How many bytes to ask for at once."""
        return wanted if self.rate is None else min(wanted, SMALL)

    def spend(self, nbytes: int) -> None:
        """So many came: wait until the next may."""
        if self.rate is None:
            return
        with self._lock:
            self._free = max(self._free, self._now()) + nbytes / self.rate
            seconds = self._free - self._now()
        if seconds > 0:
            self._wait(seconds)
