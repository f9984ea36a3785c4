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
from weigh.core.value import Value
from weigh.core.work import Delta, Done, Event, Fault, Job, work_of
from weigh.serve.api.log import Span, current, words_of
from weigh.serve.api.metrics import Metrics
from weigh.serve.api.pool import Pool, shutting_down
from weigh.serve.api.refusal import Refusal, of_fault
from weigh.serve.api.settings import Settings
from weigh.text import Language

S = TypeVar("S")
T = TypeVar("T")
SOON = 0.05  # seconds in which nobody looks whether the client is still there


class Outside(Value, frozen=True, kw_only=True):
    """What a server is given of the world: `weigh` gives the Report of any reference, `write` takes a line of the log,
    `span` marks a request in a trace.
    """

    weigh: Callable[[str], Awaitable[Report]]
    write: Callable[[str], None] | None = None
    span: Span | None = None


class Serving:
    """One server. `closes` are called when it ends."""

    def __init__(self, pool: Pool, settings: Settings, language: Language, outside: Outside) -> None:
        self.pool = pool
        self.settings = settings
        self.language: Language = language
        self.weigh = outside.weigh
        self.metrics = Metrics(pool)
        self.started = int(time.time())
        self.closes: list[Callable[[], Awaitable[None]]] = []

    def name_of(self, asked: str | None) -> str:
        """The model that is meant: as it is called, by its reference or its last part, or the only one there is.

        Raises Refusal.
        """
        names = list(self.pool.slots)
        if not asked:
            if len(names) == 1:
                return names[0]
            raise Refusal(400, "invalid_request", Saying("refusal.empty", what="model"))
        wanted = asked.removesuffix(":latest")
        if wanted in names:
            return wanted
        alike = [name for name, slot in self.pool.slots.items() if slot.ware.reference == wanted]
        alike = alike or [name for name in names if name.rpartition("/")[2].rpartition(":")[2] == wanted]
        if len(alike) == 1:
            return alike[0]
        raise Refusal(404, "model_not_found", Saying("refusal.model", model=wanted))

    async def run(self, name: str, job: Job) -> AsyncGenerator[Event, None]:
        """Events of the job, never a Fault: that is raised as a Refusal, and so is what the pool refuses."""
        count = _Count(self, name, job)
        async with self.pool.use(name) as running:
            if count.work not in running.ready.works:
                can = ", ".join(running.ready.works)
                raise Refusal(400, "unsupported", Saying("refusal.work", model=name, work=count.work, can=can))
            async with aclosing(running.run(job)) as events:
                async for event in events:
                    count.take(event)
                    if isinstance(event, Fault):
                        raise shutting_down() if self.pool.is_ending else of_fault(event)
                    yield event

    async def whole(self, request: Request, name: str, job: Job) -> list[Event]:
        """All events of a job that is not streamed; given up when the client goes."""

        async def collect() -> list[Event]:
            async with aclosing(self.run(name, job)) as events:
                return [event async for event in events]

        return await until_gone(request, collect())


class _Count:
    """Of one job: for the metrics, and for the line of the log."""

    def __init__(self, serving: Serving, model: str, job: Job) -> None:
        self.work = work_of(job)
        self._metrics = serving.metrics
        self._model = model
        self._started = time.monotonic()
        self._first: float | None = None
        self._said: list[str] | None = [] if serving.settings.log_prompts else None
        self._record = current.get()
        if self._record:
            self._record |= {"model": model, "work": self.work}
            if self._said is not None:
                self._record["asked"] = words_of(job)

    def take(self, event: Event) -> None:
        """The first Delta, and the last event."""
        match event:
            case Delta():
                if self._first is None:
                    self._first = time.monotonic() - self._started
                if self._said is not None:
                    self._said.append(event.text)
            case Done() | Fault():
                self._end(event)
            case _:
                return

    def _end(self, event: Done | Fault) -> None:
        self._metrics.count(self._model, self.work, event, self._first, time.monotonic() - self._started)
        if not self._record:
            return
        if isinstance(event, Fault):
            self._record |= {"outcome": event.kind, "detail": event.detail}
            return
        usage = event.usage
        self._record |= {
            "outcome": event.finish_reason,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
        }
        if self._said is not None:
            self._record["answered"] = "".join(self._said)


async def until_gone(request: Request, work: Awaitable[T]) -> T:
    """The result, unless the client goes first. Raises Refusal."""
    task = asyncio.current_task()
    assert task is not None
    watch = _Watch(request, task)
    timer = asyncio.get_running_loop().call_later(SOON, watch.begin)
    try:
        return await work
    except asyncio.CancelledError:
        if watch.has_gone and task.uncancel() == 0:
            raise Refusal(499, "client_gone", Saying("refusal.gone")) from None
        raise
    finally:
        timer.cancel()
        watch.end()


class _Watch:
    """Cancels `task` when the client hangs up."""

    def __init__(self, request: Request, task: asyncio.Task[object]) -> None:
        self.has_gone = False
        self._request = request
        self._task = task
        self._waits: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """From now on."""
        self._waits = asyncio.ensure_future(self._wait())

    def end(self) -> None:
        """It may hang up."""
        if self._waits is not None:
            self._waits.cancel()

    async def _wait(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self.has_gone = True
        self._task.cancel()


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
