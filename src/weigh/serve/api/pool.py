"""The models of a server: each loaded on first use, shared fairly, and let go when it is idle or in the way."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from weigh.app.offer import About
from weigh.core.engine import Running
from weigh.core.errors import WeighError
from weigh.core.saying import Saying
from weigh.core.value import Value
from weigh.serve.api.refusal import Refusal

EVERY = 0.5  # seconds between two looks for what is idle


class Ware(Value, frozen=True, kw_only=True):
    """One model before it is loaded: `nbytes` is what it will take by `fit`; `load` starts it.

    `idle_seconds` of None keeps it for ever.
    """

    name: str
    nbytes: int
    parallel: int
    idle_seconds: float | None
    load: Callable[[], Awaitable[Running]]
    about: About = About()
    reference: str | None = None


class Slot:
    """What the pool knows of one model: its engine where it is loaded, who uses it, who waits."""

    def __init__(self, ware: Ware) -> None:
        self.ware = ware
        self.running: Running | None = None
        self.using = 0
        self.waiting = 0
        self.last_used = time.monotonic()
        self.loads = 0
        self.idle_seconds = ware.idle_seconds
        self.places = asyncio.Semaphore(ware.parallel)
        self.lock = asyncio.Lock()

    @property
    def until(self) -> float:
        """The time of day when it will be let go, if nobody asks."""
        return time.time() + self.last_used + (self.idle_seconds or 0) - time.monotonic()

    @property
    def is_loaded(self) -> bool:
        """Loaded, and not found dead."""
        return self.running is not None and getattr(self.running, "is_alive", True)


class Pool:
    """`budget` bytes for all; a model that does not fit beside the others makes the least used of them go."""

    def __init__(self, wares: Mapping[str, Ware], *, budget: int, queue: int, wait_seconds: float) -> None:
        self.slots = {name: Slot(ware) for name, ware in wares.items()}
        self._budget = budget
        self._queue = queue
        self._wait_seconds = wait_seconds
        self._room = asyncio.Lock()
        self._freed = asyncio.Event()
        self._reaper: asyncio.Task[None] | None = None
        self.is_draining = False
        self.is_ending = False

    async def open(self) -> None:
        """From now on idle models are let go."""
        self._reaper = asyncio.create_task(self._reap())

    async def keep(self, name: str, seconds: float | None) -> None:
        """How long this model stays when nobody uses it, from now on; None for ever. One that is pinned stays so."""
        slot = self.slots[name]
        if slot.ware.idle_seconds is None:
            return
        slot.idle_seconds = seconds
        if seconds == 0 and not slot.using and not slot.waiting:
            await self._let_go(slot)

    async def end(self) -> None:
        """Jobs under way end now, and those that wait are refused."""
        self.is_draining = self.is_ending = True
        for slot in self.slots.values():
            for _ in range(slot.waiting):
                slot.places.release()
        self._freed.set()
        await asyncio.gather(*(self._let_go(slot) for slot in self.slots.values()))

    async def close(self) -> None:
        """Every model, at once."""
        self.is_draining = True
        if self._reaper is not None:
            self._reaper.cancel()
        await asyncio.gather(*(self._let_go(slot) for slot in self.slots.values()))

    @asynccontextmanager
    async def use(self, name: str) -> AsyncGenerator[Running, None]:
        """The model, loaded, with a place in it. Raises Refusal: unknown, too many waiting, no room, does not load."""
        slot = self.slots.get(name)
        if slot is None:
            raise Refusal(404, "model_not_found", Saying("refusal.model", model=name))
        if self.is_draining:
            raise shutting_down()
        await self._take_place(slot)
        slot.using += 1
        try:
            yield await self._loaded(slot)
        finally:
            slot.using -= 1
            slot.last_used = time.monotonic()
            slot.places.release()
            self._freed.set()

    async def _take_place(self, slot: Slot) -> None:
        if not slot.places.locked():
            await slot.places.acquire()  # at once
            return
        if slot.waiting >= self._queue:
            raise Refusal(
                429, "queue_full", Saying("refusal.queue", model=slot.ware.name, waiting=slot.waiting), retry_after=1
            )
        slot.waiting += 1
        try:
            async with asyncio.timeout(self._wait_seconds):
                await slot.places.acquire()
        except TimeoutError as error:
            raise Refusal(
                503, "waited_too_long", Saying("refusal.waited", model=slot.ware.name), retry_after=5
            ) from error
        finally:
            slot.waiting -= 1

    async def _loaded(self, slot: Slot) -> Running:
        if self.is_ending:
            raise shutting_down()
        if slot.running is not None and slot.is_loaded:
            return slot.running
        async with slot.lock:
            if slot.running is not None and not slot.is_loaded:
                await self._let_go(slot)
            if slot.running is None:
                async with self._room:
                    await self._make_room(slot)
                    slot.running = await _load(slot.ware)
                    slot.loads += 1
        assert slot.running is not None
        return slot.running

    async def _make_room(self, wanted: Slot) -> None:
        """The least used go first; what is in use is waited for."""
        need = wanted.ware.nbytes
        if need > self._budget:
            raise Refusal(
                507, "too_large", Saying("refusal.too_large", model=wanted.ware.name, nbytes=need, room=self._budget)
            )
        until = time.monotonic() + self._wait_seconds
        while self._held() + need > self._budget:
            idle = [slot for slot in self.slots.values() if slot.running is not None and slot.using == 0]
            if self.is_ending:
                raise shutting_down()
            free = [slot for slot in idle if slot.ware.idle_seconds is not None and slot is not wanted]
            if free:
                await self._let_go(min(free, key=lambda slot: slot.last_used))
                continue
            self._freed.clear()
            try:
                await asyncio.wait_for(self._freed.wait(), max(until - time.monotonic(), 0.01))
            except TimeoutError as error:
                raise Refusal(
                    503, "no_room", Saying("refusal.no_room", model=wanted.ware.name), retry_after=10
                ) from error

    def _held(self) -> int:
        return sum(slot.ware.nbytes for slot in self.slots.values() if slot.running is not None)

    async def _let_go(self, slot: Slot) -> None:
        running, slot.running = slot.running, None
        if running is not None:
            await running.close()
            self._freed.set()

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            for slot in self.slots.values():
                with contextlib.suppress(WeighError):
                    if _is_due(slot):
                        await self._let_go(slot)


def shutting_down() -> Refusal:
    """Nothing is begun any more."""
    return Refusal(503, "shutting_down", Saying("refusal.draining"), retry_after=5)


async def _load(ware: Ware) -> Running:
    try:
        return await ware.load()
    except WeighError as error:
        raise Refusal(503, "not_loaded", error.saying) from error


def _is_due(slot: Slot) -> bool:
    after = slot.idle_seconds
    if slot.running is None or slot.using or slot.waiting or after is None:
        return False
    return not slot.is_loaded or time.monotonic() - slot.last_used >= after
