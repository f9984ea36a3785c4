"""What is not here is fetched from another hub, once for all who ask: verified and checked before it is here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from weigh.core.saying import Saying
from weigh.serve.mirror.refusal import Refusal, not_ready

AT_ONCE = 2  # models fetched at a time by one worker
AGAIN = 60.0  # seconds before what could not be had is asked for again

HELD, RELEASED = 1, 0


class Fetched(NamedTuple):
    """The status and the last word of the fetching."""

    status: int
    said: str


Fetch = Callable[[str, str], Awaitable[Fetched]]  # of an id and a revision


class Upstream:
    """`fetch` brings a whole model into the served folder, or nothing of it."""

    def __init__(self, fetch: Fetch, patience: float) -> None:
        self._fetch = fetch
        self._patience = patience
        self._under_way: dict[str, asyncio.Task[Fetched]] = {}
        self._refused: dict[str, tuple[float, Fetched]] = {}
        self._seats = asyncio.Semaphore(AT_ONCE)

    async def bring(self, id: str, revision: str) -> None:
        """Until it is here. Raises Refusal where it cannot be had, is held, or is not here in time."""
        key = f"{id}@{revision}"
        until, fetched = self._refused.get(key, (0.0, None))
        if fetched is None or time.monotonic() > until:
            task = self._under_way.get(key)
            if task is None:
                task = self._under_way[key] = asyncio.create_task(self._seated(id, revision))
                task.add_done_callback(lambda done: self._under_way.pop(key, None))
            try:
                async with asyncio.timeout(self._patience):
                    fetched = await asyncio.shield(task)
            except TimeoutError:
                raise not_ready(id) from None
        if fetched.status != RELEASED:
            self._refused = {one: why for one, why in self._refused.items() if why[0] > time.monotonic()}
            self._refused[key] = (max(until, time.monotonic() + AGAIN) if key not in self._refused else until, fetched)
            raise _refusal(id, fetched)

    async def close(self) -> None:
        """Give up what is under way; its partials are kept."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _seated(self, id: str, revision: str) -> Fetched:
        async with self._seats:
            return await self._fetch(id, revision)


def _refusal(id: str, fetched: Fetched) -> Refusal:
    if fetched.status == HELD:
        return Refusal(403, "Held", Saying("mirror.upstream_held", id=id, said=fetched.said))
    return Refusal(404, "Other", Saying("mirror.upstream_failed", id=id, said=fetched.said))
