"""The server on its socket, until a signal: jobs under way may go on for a while, and are told when it is over."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from weigh.core.errors import SourceError
from weigh.serve.api.pool import Pool
from weigh.serve.api.settings import Settings

TOLD = 3  # seconds for streams to say that they end


async def listen(app: ASGIApp, pool: Pool, settings: Settings, say: Callable[[str], None]) -> None:
    """`say` is given the address once it listens. Raises SourceError where it cannot."""
    host = settings.host or "127.0.0.1"
    listener = _listener(host, 8000 if settings.port is None else settings.port)
    _check_tls(settings)
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())  # the log is ours, line by line
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=int(settings.drain_seconds) + TOLD,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    server = Drained(config, pool, settings.drain_seconds)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    if not task.done():
        scheme = "https" if settings.tls_certificate else "http"
        shown = f"[{host}]" if ":" in host else host
        say(f"{scheme}://{shown}:{listener.getsockname()[1]}")
    await task


def _check_tls(settings: Settings) -> None:
    """Raises SourceError for a certificate or a key that is none, or that do not belong together."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate or "", key)
    except (OSError, ssl.SSLError) as error:
        raise SourceError("serve.tls", certificate=certificate or "", key=key or "", reason=str(error)) from error


class Drained(uvicorn.Server):
    """From the signal on nothing is begun; what runs has `seconds` to end."""

    def __init__(self, config: uvicorn.Config, pool: Pool, seconds: float) -> None:
        super().__init__(config)
        self._pool = pool
        self._seconds = seconds
        self._ending: asyncio.Task[None] | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ours alone while it runs; the end that was asked for is no failure."""
        before = {sig: signal.signal(sig, self.handle_exit) for sig in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Called once, when a signal has come."""
        self._pool.is_draining = True
        self._ending = asyncio.create_task(self._end())
        await super().shutdown(sockets)
        self._ending.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second signal does not wait."""
        self._pool.is_draining = True
        super().handle_exit(sig, frame)

    async def _end(self) -> None:
        await asyncio.sleep(self._seconds)
        await self._pool.end()


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or asyncio leaves Nagle on
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SourceError("serve.bind", host=host, port=port, reason=error.strerror or str(error)) from error
    return listener
