"""The snapshots that are served: looked at again and again, read and judged once, whoever asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from typing import NamedTuple, TypeVar

from weigh.app.mirror.judgement import Judgement, decide, judge, recall
from weigh.app.mirror.shelf import MAIN, Kind, Place, Shelf, find, folder_of, is_id
from weigh.app.mirror.snapshot import Seen, Snapshot, scan, take
from weigh.core.saying import Saying
from weigh.serve.mirror.refusal import Refusal, no_repository, no_revision, not_ready
from weigh.serve.mirror.settings import Settings
from weigh.serve.mirror.upstream import Upstream

FRESH = 1.0  # seconds that a look at a folder is good for
TRIES = 3  # looks at files that change while they are read
T = TypeVar("T")


class Opened(NamedTuple):
    """A revision, and what was found of it."""

    snapshot: Snapshot
    judgement: Judgement


class _Kept(NamedTuple):
    seen: tuple[Seen, ...]
    opened: Opened
    until: float


class Library:
    """`begin` starts the processes in which files are judged; called again when they died."""

    def __init__(
        self, shelf: Shelf, settings: Settings, begin: Callable[[], Executor], upstream: Upstream | None = None
    ) -> None:
        self.shelf = shelf
        self.settings = settings
        self._begin = begin
        self._upstream = upstream
        self._judges: Executor | None = None
        self._kept: dict[str, _Kept] = {}
        self._under_way: dict[str, asyncio.Task[Opened]] = {}

    async def open(self, kind: Kind, id: str, revision: str = MAIN) -> Opened:
        """Raises Refusal for what is not here, or not ready in time."""
        place = await asyncio.to_thread(find, self.shelf, kind, id)
        if self._upstream is not None and kind == "models" and is_id(id):
            place = await self._through(self._upstream, place, id, revision)
        if place is None:
            raise no_repository(id)
        folder = folder_of(place, revision)
        opened = await self._opened(place, folder or place.folders[MAIN])
        if not opened.snapshot.files:
            raise no_repository(id)
        if folder is None and opened.snapshot.commit != revision:
            raise no_revision(id, revision)
        return opened

    async def decide(self, snapshot: Snapshot, *, held: bool) -> Judgement:
        """The operator's word on this content, from now on."""
        said = await asyncio.to_thread(decide, snapshot, self.settings.state, held=held)
        self._kept.pop(snapshot.folder, None)
        return said

    def forget(self, snapshot: Snapshot) -> None:
        """Look at it anew the next time: something in it is not as it was."""
        self._kept.pop(snapshot.folder, None)

    async def close(self) -> None:
        """End the processes."""
        if self._upstream is not None:
            await self._upstream.close()
        if self._judges is not None:
            self._judges.shutdown(wait=False, cancel_futures=True)

    async def _through(self, upstream: Upstream, place: Place | None, id: str, revision: str) -> Place | None:
        """What is not here is waited for; what is here is served, and meanwhile asked for anew where it is old."""
        is_main = revision in (MAIN, "master") or not self.shelf.is_cache  # of a folder there is one revision
        if self._lacks(place, revision):
            await upstream.bring(id, MAIN if is_main else revision)
            return await asyncio.to_thread(find, self.shelf, "models", id)
        if is_main:
            upstream.renew(id)
        return place

    def _lacks(self, place: Place | None, revision: str) -> bool:
        """Of a folder there is one revision; of a cache others may come."""
        return place is None or (self.shelf.is_cache and folder_of(place, revision) is None)

    async def _opened(self, place: Place, folder: str) -> Opened:
        kept = self._kept.get(folder)
        if kept is not None and time.monotonic() < kept.until:
            return kept.opened
        task = self._under_way.get(folder)
        if task is None:
            task = asyncio.create_task(self._look(place, folder))
            self._under_way[folder] = task
            task.add_done_callback(lambda done: self._ended(folder, done))
        try:
            async with asyncio.timeout(self.settings.patience):
                return await asyncio.shield(task)
        except TimeoutError:
            raise not_ready(place.id) from None

    def _ended(self, folder: str, task: asyncio.Task[Opened]) -> None:
        self._under_way.pop(folder, None)
        if not task.cancelled():
            task.exception()  # somebody may have gone before it came to that

    async def _look(self, place: Place, folder: str) -> Opened:
        for _ in range(TRIES):
            seen = await asyncio.to_thread(scan, self.shelf, folder)
            kept = self._kept.get(folder)
            try:
                opened = (
                    kept.opened if kept is not None and kept.seen == seen else await self._read(place, folder, seen)
                )
            except OSError:
                continue
            # An operator of another worker may have decided meanwhile: what is kept is asked again.
            judgement = await self._judged(opened.snapshot) if kept is not None else opened.judgement
            opened = Opened(opened.snapshot, judgement)
            self._kept[folder] = _Kept(seen, opened, time.monotonic() + FRESH)
            return opened
        raise Refusal(503, "Other", Saying("mirror.changing", id=place.id))

    async def _read(self, place: Place, folder: str, seen: tuple[Seen, ...]) -> Opened:
        snapshot = await asyncio.to_thread(take, self.shelf, place, folder, seen, self.settings.state)
        return Opened(snapshot, await self._judged(snapshot))

    async def _judged(self, snapshot: Snapshot) -> Judgement:
        told = (snapshot, self.settings.state, self.settings.policy)
        said = await asyncio.to_thread(recall, *told)
        return said if said is not None else await self._in_process(judge, *told)

    async def _in_process(self, work: Callable[..., T], *values: object) -> T:
        for _ in range(TRIES):
            if self._judges is None:
                self._judges = self._begin()
            try:
                return await asyncio.get_running_loop().run_in_executor(self._judges, work, *values)
            except BrokenProcessPool:
                self._judges = None
        raise Refusal(503, "Other", Saying("mirror.judges"))


Opener = Callable[[Kind, str, str], Awaitable[Opened]]
