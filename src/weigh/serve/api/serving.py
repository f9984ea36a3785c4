"""What every route of the server of models needs: the pool, the counters, and how a job is run for a request."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from weigh.core.report import Report
from weigh.core.saying import Saying
from weigh.core.value import Value
from weigh.core.work import Delta, Done, Event, Fault, Job, Work, work_of
from weigh.serve.api.log import Span, current, words_of
from weigh.serve.api.metrics import Metrics
from weigh.serve.api.pool import Pool, shutting_down
from weigh.serve.api.refusal import Refusal, of_fault
from weigh.serve.api.settings import Settings
from weigh.text import Language

S = TypeVar("S")
T = TypeVar("T")
_FIELD = re.compile(r"at `\$\.(.+?)`$")  # as msgspec names the place
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

    def run(self, name: str, job: Job | Sequence[Job]) -> AsyncGenerator[Event, None]:
        """Events of the job, or of each job after the other, never a Fault: that is raised as a Refusal, and so is
        what the pool refuses.
        """
        return self._each(name, job) if isinstance(job, Sequence) else self._one(name, job)

    async def _each(self, name: str, jobs: Sequence[Job]) -> AsyncGenerator[Event, None]:
        for job in jobs:
            async with aclosing(self._one(name, job)) as events:
                async for event in events:
                    yield event

    async def _one(self, name: str, job: Job) -> AsyncGenerator[Event, None]:
        count = _Count(self, name, job)
        async with self.pool.use(name) as running:
            if count.work not in running.ready.works:
                raise _cannot(name, count.work, running.ready.works)
            async with aclosing(running.run(job)) as events:
                async for event in events:
                    count.take(event)
                    if isinstance(event, Fault):
                        raise shutting_down() if self.pool.is_ending else of_fault(event)
                    yield event

    def check_work(self, name: str, job: Job) -> None:
        """Before the model is loaded. Raises Refusal for what it surely cannot."""
        works, work = self.pool.slots[name].ware.about.works, work_of(job)
        if works and work not in works:
            raise _cannot(name, work, works)

    async def whole(self, request: Request, name: str, job: Job | Sequence[Job]) -> list[Event]:
        """All events of a job that is not streamed; given up when the client goes."""

        async def collect() -> list[Event]:
            async with aclosing(self.run(name, job)) as events:
                return [event async for event in events]

        return await until_gone(request, collect())


def _cannot(model: str, work: Work, works: Sequence[Work]) -> Refusal:
    return Refusal(400, "unsupported", Saying("refusal.work", model=model, work=work, can=", ".join(works)))


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
    data = await _read(request, most)
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        field = _FIELD.search(str(error))
        saying = Saying("refusal.shape", problem=str(error))
        raise Refusal(400, "invalid_request", saying, param=field[1] if field else None) from error


async def _read(request: Request, most: int) -> bytearray:
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > most:
        raise Refusal(413, "too_long", Saying("refusal.body", most=most))
    data = bytearray()
    patience = request.app.state.stall_seconds
    time = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(patience) as limit:
            async for chunk in request.stream():
                if data and chunk:
                    limit.reschedule(time() + patience)
                data += chunk
                if len(data) > most:
                    raise Refusal(413, "too_long", Saying("refusal.body", most=most))
    except TimeoutError as error:
        raise Refusal(408, "too_slow", Saying("refusal.slow", seconds=patience)) from error
    except ClientDisconnect as error:
        raise Refusal(499, "client_gone", Saying("refusal.gone")) from error
    return data
