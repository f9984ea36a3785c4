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
from weigh.engines.frames import HEAD, Kind, answer_from, encode, event_of, frame, head_of

MOST_LINES = 40  # of what a library prints, kept for the day it dies
MOST_LINE = 500
SECONDS_TO_END = 3.0
SECONDS_TO_OBEY = 2.0  # of a job whose time is over: an engine that does not hear is ended
NO_END = 7 * 24 * 3600.0


async def start(module: str, launch: Launch, *, interpreter: str = sys.executable, seconds: float = 600.0) -> Child:
    """The model, loaded. Raises EngineError where it does not load, or not in time."""
    process = await asyncio.create_subprocess_exec(
        interpreter,
        "-m",
        "weigh.engines.child",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(),
    )
    child = Child(process, launch)
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


class Child:
    """Keeps the protocol's side of the program: numbers jobs, hands each event to who asked for it."""

    ready: Ready

    def __init__(self, process: asyncio.subprocess.Process, launch: Launch) -> None:
        self._process = process
        self._launch = launch
        self._jobs: dict[int, asyncio.Queue[Event]] = {}
        self._next = 1
        self._printed: deque[str] = deque(maxlen=MOST_LINES)
        self._tasks = [asyncio.create_task(self._listen_to_errors())]
        self._is_over = False

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether a job could be started."""
        return not self._is_over and self._process.returncode is None

    async def load(self) -> None:
        """Raises EngineError with what the engine says."""
        await self._write(frame(Kind.LOAD, 0, encode(self._launch)))
        first = await self._take()
        answer = answer_from(first[1]) if first else Fault(kind="engine_died", detail=await self._last_words())
        if not isinstance(answer, Ready):
            detail = self._why(answer.detail if isinstance(answer, Fault) else "")
            raise EngineError("engine.not_loaded", path=self._launch.path, engine=self._launch.engine, detail=detail)
        self.ready = answer
        self._tasks.append(asyncio.create_task(self._listen()))

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
            await self._write(frame(Kind.START, number, encode(job)))
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
                await self._write(frame(Kind.CANCEL, number, b""))

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
                await self._write(frame(Kind.CANCEL, number, b""))
                while not isinstance(await events.get(), Done | Fault):
                    pass
        except TimeoutError:
            self._is_over = True
            self.kill()

    def kill(self) -> None:
        """At once, whatever it does."""
        if self._process.returncode is None:
            self._process.kill()

    async def close(self) -> None:
        """Let it go: asked first, then made to."""
        self._is_over = True
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), SECONDS_TO_END)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._end_all(Fault(kind="engine_died"))

    async def _listen(self) -> None:
        """Every event to its job, until the child is gone."""
        try:
            while (got := await self._take()) is not None:
                number, body = got
                if (events := self._jobs.get(number)) is not None:
                    events.put_nowait(event_of(answer_from(body)))
        except EngineError:
            self._process.kill()
        self._is_over = True
        self._end_all(Fault(kind="engine_died", detail=await self._last_words()))

    def _end_all(self, fault: Fault) -> None:
        for events in self._jobs.values():
            events.put_nowait(fault)

    async def _take(self) -> tuple[int, bytes] | None:
        out = self._process.stdout
        assert out is not None
        try:
            nbytes, number, _ = head_of(await out.readexactly(HEAD.size))
            return number, await out.readexactly(nbytes)
        except asyncio.IncompleteReadError:
            return None

    async def _write(self, data: bytes) -> None:
        into = self._process.stdin
        assert into is not None
        try:
            into.write(data)
            await into.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass  # the listener tells of it

    async def _listen_to_errors(self) -> None:
        errors = self._process.stderr
        assert errors is not None
        while data := await errors.read(1 << 16):
            for line in data.decode("utf-8", "replace").splitlines():
                self._printed.append(line[:MOST_LINE])

    def _why(self, detail: str) -> str:
        """With the first line that the library printed of an error: what it raises says less."""
        printed = next((line.strip() for line in self._printed if "error" in line.lower()), "")
        return f"{detail} ({printed})" if printed and printed not in detail else detail

    async def _last_words(self) -> str:
        """The last line it printed, and how it ended."""
        status = await self._process.wait()
        last = next((line.strip() for line in reversed(self._printed) if line.strip()), "")
        return f"exit status {status}" + (f": {last}" if last else "")
