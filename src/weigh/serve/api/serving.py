"""What every route of the server of models needs: the pool, the counters, and how a job is run for a request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

import msgspec
from starlette.requests import Request

from weigh.core.report import Report
from weigh.core.saying import Saying
from weigh.core.work import Delta, Done, Event, Fault, Job, work_of
from weigh.serve.api.metrics import Metrics
from weigh.serve.api.pool import Pool
from weigh.serve.api.refusal import Refusal, of_fault
from weigh.serve.api.settings import Settings
from weigh.text import Language

S = TypeVar("S")
T = TypeVar("T")


class Serving:
    """One server. `weigh` gives the Report of any reference, for /v1/weigh."""

    def __init__(
        self, pool: Pool, settings: Settings, language: Language, weigh: Callable[[str], Awaitable[Report]]
    ) -> None:
        self.pool = pool
        self.settings = settings
        self.language: Language = language
        self.weigh = weigh
        self.metrics = Metrics(pool)
        self.started = int(time.time())

    def name_of(self, asked: str | None) -> str:
        """The model that is meant: as it is called, by its last part, or the only one there is. Raises Refusal."""
        names = list(self.pool.slots)
        if not asked and len(names) == 1:
            return names[0]
        wanted = (asked or "").removesuffix(":latest")
        if wanted in names:
            return wanted
        alike = [name for name in names if name.rpartition("/")[2].rpartition(":")[2] == wanted]
        if len(alike) == 1:
            return alike[0]
        raise Refusal(404, "model_not_found", Saying("refusal.model", model=wanted))

    async def run(self, name: str, job: Job) -> AsyncGenerator[Event, None]:
        """Events of the job, never a Fault: that is raised as a Refusal, and so is what the pool refuses."""
        started, first = time.monotonic(), None
        async with self.pool.use(name) as running:
            work = work_of(job)
            if work not in running.ready.works:
                can = ", ".join(running.ready.works)
                raise Refusal(400, "unsupported", Saying("refusal.work", model=name, work=work, can=can))
            async with aclosing(running.run(job)) as events:
                async for event in events:
                    if first is None and isinstance(event, Delta):
                        first = time.monotonic() - started
                    if isinstance(event, Fault):
                        self.metrics.count(name, work, event, first, time.monotonic() - started)
                        raise of_fault(event)
                    if isinstance(event, Done):
                        self.metrics.count(name, work, event, first, time.monotonic() - started)
                    yield event

    async def whole(self, request: Request, name: str, job: Job) -> list[Event]:
        """All events of a job that is not streamed; given up when the client goes."""

        async def collect() -> list[Event]:
            async with aclosing(self.run(name, job)) as events:
                return [event async for event in events]

        return await until_gone(request, collect())


async def until_gone(request: Request, work: Awaitable[T]) -> T:
    """The result, unless the client goes first. Raises Refusal."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise Refusal(499, "client_gone", Saying("refusal.gone"))
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()


async def _gone(request: Request) -> None:
    """Waits for the client to hang up."""
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            return


async def body_of(request: Request, shape: type[S], most: int) -> S:
    """The JSON body, checked by shape. Raises Refusal for what is too long, no JSON, or of another shape."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > most:
            raise Refusal(413, "too_long", Saying("refusal.body", most=most))
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, "invalid_request", Saying("refusal.shape", problem=str(error))) from error
