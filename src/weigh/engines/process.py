"""A model in a child process of its own: it is started, asked, and let go."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from collections.abc import AsyncGenerator
from pathlib import Path

from weigh.core.engine import Launch, Ready
from weigh.core.errors import EngineError
from weigh.core.work import Done, Event, Fault, Job
from weigh.engines.frames import HEAD, Answer, Kind, answer_from, encode, event_of, frame, head_of

MOST_LINES = 40  # of what a library prints, kept for the day it dies
MOST_LINE = 500
SECONDS_TO_END = 3.0
SECONDS_TO_OBEY = 2.0  # of a job whose time is over: an engine that does not hear is ended
NO_END = 7 * 24 * 3600.0


async def start(module: str, launch: Launch, *, interpreter: str = sys.executable, seconds: float = 600.0) -> Child:
    """The model, loaded. Raises EngineError where it does not load, or not in time."""
    command = (interpreter, "-m", "weigh.engines.child", module)
    loop = asyncio.get_running_loop()
    _, child = await loop.subprocess_exec(lambda: Child(launch), *command, env=_environment())
    try:
        await asyncio.wait_for(child.load(), seconds)
    except TimeoutError as error:
        await child.close()
        raise EngineError("engine.slow", path=launch.path, engine=launch.engine, seconds=seconds) from error
    except BaseException:
        child.kill()  # it may be deep in a library, and hears of nothing
        await child.close()
        raise
    return child


def _environment() -> dict[str, str]:
    """Ours, where this program can be imported by an interpreter that has it not installed."""
    here = str(Path(__file__).resolve().parents[2])
    beside = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "PYTHONPATH": f"{here}{os.pathsep}{beside}" if beside else here,
        "PYTHONUNBUFFERED": "1",
        "HF_HUB_OFFLINE": "1",  # an engine loads what is here, and fetches nothing
        "TRANSFORMERS_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


class Child(asyncio.SubprocessProtocol):
    """Keeps the protocol's side of the program: numbers jobs, hands each event to who asked for it.

    Its output is read where it arrives, not through a stream: a token costs one turn of the loop less.
    """

    ready: Ready

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._jobs: dict[int, asyncio.Queue[Event]] = {}
        self._next = 1
        self._printed: deque[str] = deque(maxlen=MOST_LINES)
        self._unread = bytearray()
        loop = asyncio.get_running_loop()
        self._first: asyncio.Future[Answer | None] = loop.create_future()
        self._gone: asyncio.Future[int | None] = loop.create_future()
        self._is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It runs."""
        assert isinstance(transport, asyncio.SubprocessTransport)
        self._process = transport
        self.pid: int = transport.get_pid()

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        """Frames, or what a library prints."""
        assert isinstance(data, bytes)
        if fd != 1:
            self._printed.extend(line[:MOST_LINE] for line in data.decode("utf-8", "replace").splitlines())
            return
        self._unread += data
        try:
            self._take_frames()
        except EngineError:
            self.kill()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """Nothing more comes from there."""
        if fd == 1:
            self._is_over = True
            self._ending = asyncio.ensure_future(self._end())

    def process_exited(self) -> None:
        """With a status."""
        self._gone.set_result(self._process.get_returncode())

    @property
    def is_alive(self) -> bool:
        """Whether a job could be started."""
        return not self._is_over and not self._gone.done()

    async def load(self) -> None:
        """Raises EngineError with what the engine says."""
        self._write(frame(Kind.LOAD, 0, encode(self._launch)))
        answer = await self._first
        if not isinstance(answer, Ready):
            detail = self._why(answer.detail if isinstance(answer, Fault) else await self._last_words())
            raise EngineError("engine.not_loaded", path=self._launch.path, engine=self._launch.engine, detail=detail)
        self.ready = answer

    async def run(self, job: Job) -> AsyncGenerator[Event, None]:
        """Ends with Done or Fault. Closing it cancels the job."""
        if not self.is_alive:
            yield Fault(kind="engine_died", detail=await self._last_words())
            return
        number, self._next = self._next, self._next + 1
        events: asyncio.Queue[Event] = asyncio.Queue()
        self._jobs[number] = events
        is_done = False
        limit = self._limit(events)
        try:
            self._write(frame(Kind.START, number, encode(job)))
            while not is_done:
                event = await events.get()
                is_done = isinstance(event, Done | Fault)
                if is_done and isinstance(event, Fault) and event.kind == "timed_out":
                    await self._end_or_kill(number, events)
                yield event
        finally:
            limit.cancel()
            self._jobs.pop(number, None)
            if self.is_alive and not is_done:
                self._write(frame(Kind.CANCEL, number, b""))

    def _limit(self, events: asyncio.Queue[Event]) -> asyncio.TimerHandle:
        """Ends the job for who waits, when it takes longer than it may."""
        seconds = self._launch.job_seconds or NO_END
        fault = Fault(kind="timed_out", detail=f"{seconds:g} seconds")
        return asyncio.get_running_loop().call_later(seconds, events.put_nowait, fault)

    async def _end_or_kill(self, number: int, events: asyncio.Queue[Event]) -> None:
        """Its time is over: the job is taken back, and the engine with it where it hangs."""
        if not self.is_alive:
            return
        try:
            async with asyncio.timeout(SECONDS_TO_OBEY):
                self._write(frame(Kind.CANCEL, number, b""))
                while not isinstance(await events.get(), Done | Fault):
                    pass
        except TimeoutError:
            self._is_over = True
            self.kill()

    def kill(self) -> None:
        """At once, whatever it does."""
        if not self._gone.done():
            self._process.kill()

    async def close(self) -> None:
        """Let it go: asked first, then made to."""
        self._is_over = True
        self._inlet().close()
        done, _ = await asyncio.wait((self._gone,), timeout=SECONDS_TO_END)
        if not done:
            self.kill()
            await self._gone
        self._process.close()
        self._end_all(Fault(kind="engine_died"))

    def _take_frames(self) -> None:
        """Every whole one, to who waits for it."""
        at = 0
        while len(self._unread) - at >= HEAD.size:
            nbytes, number, _ = head_of(self._unread[at : at + HEAD.size])
            end = at + HEAD.size + nbytes
            if end > len(self._unread):
                break
            answer = answer_from(bytes(self._unread[at + HEAD.size : end]))
            at = end
            if not self._first.done():
                self._first.set_result(answer)
            elif (events := self._jobs.get(number)) is not None:
                events.put_nowait(event_of(answer))
        del self._unread[:at]

    async def _end(self) -> None:
        """Whoever waits is told, once it is known how it ended."""
        if not self._first.done():
            self._first.set_result(None)
        self._end_all(Fault(kind="engine_died", detail=await self._last_words()))

    def _end_all(self, fault: Fault) -> None:
        for events in self._jobs.values():
            events.put_nowait(fault)

    def _write(self, data: bytes) -> None:
        if self.is_alive:  # if it ends meanwhile, every job is told of it
            self._inlet().write(data)

    def _inlet(self) -> asyncio.WriteTransport:
        inlet = self._process.get_pipe_transport(0)
        assert isinstance(inlet, asyncio.WriteTransport)
        return inlet

    def _why(self, detail: str) -> str:
        """With the first line that the library printed of an error: what it raises says less."""
        printed = next((line.strip() for line in self._printed if "error" in line.lower()), "")
        return f"{detail} ({printed})" if printed and printed not in detail else detail

    async def _last_words(self) -> str:
        """The last line it printed, and how it ended."""
        status = await asyncio.shield(self._gone)
        last = next((line.strip() for line in reversed(self._printed) if line.strip()), "")
        return f"exit status {status}" + (f": {last}" if last else "")
