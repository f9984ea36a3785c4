"""A server that a user has as a command: started for one model on a port of this machine alone, and ended with us."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections import deque
from collections.abc import Mapping

import httpx

from weigh.core.engine import Launch
from weigh.core.errors import EngineError
from weigh.core.value import Value
from weigh.engines import leash
from weigh.engines.openai_http import Served, client_for

HOST = "127.0.0.1"
SECONDS = 600.0
SECONDS_TO_END = 5.0
BETWEEN = 0.1
MOST_LINES = 40
MOST_LINE = 500


class Start(Value, frozen=True, kw_only=True):
    """What is typed, what the environment says besides, the page that answers 200 when it is ready, and its key.

    `then` is typed once it is ready.
    """

    command: tuple[str, ...]
    port: int
    health: str = "/health"
    environment: Mapping[str, str] = {}
    key: str | None = None
    then: tuple[str, ...] = ()


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as place:
        place.bind((HOST, 0))
        port: int = place.getsockname()[1]
        return port


def _leashed(command: tuple[str, ...]) -> tuple[str, ...]:
    """`-I`: nothing of this program's is on the path of what is started."""
    return (sys.executable, "-I", leash.__file__, *command)


async def started(start: Start, launch: Launch, *, seconds: float = SECONDS) -> Served:
    """Ready. Raises EngineError where it does not start, or not in time."""
    server = await _Server.begin(start, launch)
    client = client_for(f"http://{HOST}:{start.port}", start.key)
    try:
        await server.wait(client, seconds)
        if start.then:
            await server.also(start.then)
    except BaseException:
        await client.aclose()
        await server.end()
        raise
    return Served(client, launch, server.end)


class _Server:
    """The process and its last lines."""

    def __init__(self, process: asyncio.subprocess.Process, start: Start, launch: Launch) -> None:
        self._process = process
        self._start = start
        self._launch = launch
        self._printed: deque[str] = deque(maxlen=MOST_LINES)
        self._listener = asyncio.create_task(self._listen())

    @staticmethod
    async def begin(start: Start, launch: Launch) -> _Server:
        """Raises EngineError where the command cannot be started."""
        try:
            process = await asyncio.create_subprocess_exec(
                *_leashed(start.command),
                stdin=asyncio.subprocess.PIPE,  # its end is told when this program ends, however it does
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **start.environment},
                start_new_session=True,
            )
        except OSError as error:
            detail = error.strerror or str(error)
            raise EngineError("engine.not_loaded", path=launch.path, engine=launch.engine, detail=detail) from error
        return _Server(process, start, launch)

    async def wait(self, client: httpx.AsyncClient, seconds: float) -> None:
        """Until its page of health answers."""
        end = time.monotonic() + seconds
        while not await _is_healthy(client, self._start.health):
            if self._process.returncode is not None:
                await self._listener
                raise self._failed(f"exit status {self._process.returncode}: {self._last()}")
            if time.monotonic() > end:
                raise EngineError("engine.slow", path=self._launch.path, engine=self._launch.engine, seconds=seconds)
            await asyncio.sleep(BETWEEN)

    async def also(self, command: tuple[str, ...]) -> None:
        """A second command, to its end."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **self._start.environment},
        )
        printed, _ = await process.communicate()
        if process.returncode != 0:
            raise self._failed(printed.decode("utf-8", "replace").strip()[-MOST_LINE:])

    async def end(self) -> None:
        """Asked first, then made to; and all that it started."""
        for ask in (self._terminate, self._let_go, self._process.kill):
            try:
                ask()
                await asyncio.wait_for(self._process.wait(), SECONDS_TO_END)
                break
            except TimeoutError:
                continue
            except ProcessLookupError:
                break  # it is gone
        await self._listener

    def _terminate(self) -> None:
        if sys.platform == "win32":
            self._let_go()  # there is no asking
        else:
            self._process.terminate()

    def _let_go(self) -> None:
        """The leash then ends the command, and all of its session, at once."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def _listen(self) -> None:
        out = self._process.stdout
        assert out is not None
        while data := await out.read(1 << 16):
            self._printed.extend(line[:MOST_LINE] for line in data.decode("utf-8", "replace").splitlines())

    def _last(self) -> str:
        return next((line.strip() for line in reversed(self._printed) if line.strip()), "")

    def _failed(self, detail: str) -> EngineError:
        return EngineError("engine.not_loaded", path=self._launch.path, engine=self._launch.engine, detail=detail)


async def _is_healthy(client: httpx.AsyncClient, page: str) -> bool:
    try:
        return (await client.get(page, timeout=SECONDS_TO_END)).status_code == 200
    except httpx.HTTPError:
        return False
