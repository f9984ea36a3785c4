"""A worker's life: it listens, cuts off who asks for nothing, and ends when it is told to."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from aiohttp import web

from weigh.serve.mirror.app import MOST_FIELD, create
from weigh.serve.mirror.ill import logger
from weigh.serve.mirror.library import Library
from weigh.serve.mirror.settings import Settings
from weigh.text import Language

BACKLOG = 512
KEEP_ALIVE = 15.0  # seconds that a connection may rest between two requests
LOOK = 1.0  # seconds between two looks for connections that ask for nothing


class Terms(NamedTuple):
    """Where a worker listens, in which language it answers, what takes the log, and who is told that it is ready."""

    listener: socket.socket
    encryption: ssl.SSLContext | None
    language: Language
    log: Callable[[str], None] | None
    ready: Callable[[], None]


async def serve(library: Library, terms: Terms, ended: asyncio.Event) -> None:
    """Until `ended`; downloads under way may go on for a while then."""
    app = create(library, terms.language, terms.log)
    attendance = _Attendance(library.settings)
    app.middlewares.append(attendance.middleware)
    runner = web.AppRunner(
        app,
        access_log=None,
        logger=logger(terms.log),
        shutdown_timeout=library.settings.drain_seconds,
        keepalive_timeout=KEEP_ALIVE,
        max_line_size=MOST_FIELD,
        max_field_size=MOST_FIELD,
    )
    await runner.setup()
    sweep = asyncio.create_task(attendance.sweep(runner))
    try:
        await web.SockSite(runner, terms.listener, ssl_context=terms.encryption, backlog=BACKLOG).start()
        terms.ready()
        await ended.wait()
    finally:
        sweep.cancel()
        await runner.cleanup()


class _Attendance:
    """Which connections have a request under way, and since when the others have none: a head that comes a byte a
    minute holds no connection for longer than one that does not come."""

    def __init__(self, settings: Settings) -> None:
        self._quiet = settings.quiet_seconds
        self._busy: dict[object, int] = {}
        self._since: dict[object, float] = {}

        @web.middleware
        async def attended(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            connection = request.protocol
            self._busy[connection] = self._busy.get(connection, 0) + 1
            try:
                return await handler(request)
            finally:
                self._busy[connection] -= 1
                self._since[connection] = time.monotonic()

        self.middleware = attended

    async def sweep(self, runner: web.AppRunner) -> None:
        """Again and again."""
        while True:
            await asyncio.sleep(min(LOOK, self._quiet / 4))
            connections = runner.server.connections if runner.server is not None else []
            here = set(connections)
            self._busy = {one: count for one, count in self._busy.items() if one in here}
            self._since = {one: since for one, since in self._since.items() if one in here}
            now = time.monotonic()
            for connection in connections:
                since = self._since.setdefault(connection, now)
                if not self._busy.get(connection) and now - since > self._quiet and connection.transport is not None:
                    connection.transport.abort()
