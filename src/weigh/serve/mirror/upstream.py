"""What is not here or old is fetched from another hub, once for all who ask: verified and checked before it is here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from weigh.core.saying import Saying
from weigh.serve.mirror.refusal import Code, Refusal, no_repository, no_revision, not_ready

AT_ONCE = 2  # models fetched at a time by one worker
AGAIN = 60.0  # seconds before what could not be had is asked for again
LOOK = 60.0  # seconds between two looks whether a model is old, at most
MOST_KNOWN = 10_000  # models whose last look is remembered

HELD, RELEASED = 1, 0


class Fetched(NamedTuple):
    """The status and the last word of the fetching; `code` is what the other hub calls the reason, where it has one."""

    status: int
    said: str
    code: Code | None = None


class Ways(NamedTuple):
    """`fetch` brings a whole model of an id and a revision into the served folder, or nothing of it. `renew` brings
    what is newer of an id that came that way and was not asked for within `renew_seconds`; None where it never is."""

    fetch: Callable[[str, str], Awaitable[Fetched]]
    renew: Callable[[str], Awaitable[None]] | None = None
    renew_seconds: float = 0.0


class Upstream:
    """Who is under way, and what was refused a moment ago."""

    def __init__(self, ways: Ways, patience: float) -> None:
        self._ways = ways
        self._patience = patience
        self._under_way: dict[str, asyncio.Task[Fetched]] = {}
        self._refused: dict[str, tuple[float, Fetched]] = {}
        self._renewals: dict[str, asyncio.Task[None]] = {}
        self._looks: dict[str, float] = {}
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
            raise _refusal(id, revision, fetched)

    def renew(self, id: str) -> None:
        """Nobody waits for it, and what goes wrong leaves what is here as it is."""
        now = time.monotonic()
        if self._ways.renew is None or id in self._renewals or now < self._looks.get(id, 0.0):
            return
        if len(self._looks) >= MOST_KNOWN:
            self._looks.clear()
        self._looks[id] = now + min(LOOK, self._ways.renew_seconds / 2)
        task = self._renewals[id] = asyncio.create_task(self._renewed(self._ways.renew, id))
        task.add_done_callback(lambda done: self._renewals.pop(id, None))

    async def close(self) -> None:
        """Give up what is under way; its partials are kept."""
        tasks = [*self._under_way.values(), *self._renewals.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _seated(self, id: str, revision: str) -> Fetched:
        async with self._seats:
            return await self._ways.fetch(id, revision)

    async def _renewed(self, renew: Callable[[str], Awaitable[None]], id: str) -> None:
        async with self._seats:
            await renew(id)


def _refusal(id: str, revision: str, fetched: Fetched) -> Refusal:
    if fetched.status == HELD:
        return Refusal(403, "Held", Saying("mirror.upstream_held", id=id, said=fetched.said))
    if fetched.code == "RepoNotFound":
        return no_repository(id)
    if fetched.code == "RevisionNotFound":
        return no_revision(id, revision)
    failed = Saying("mirror.upstream_failed", id=id, said=fetched.said)
    return Refusal(403, "GatedRepo", failed) if fetched.code == "GatedRepo" else Refusal(502, "Other", failed)
