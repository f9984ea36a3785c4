"""The processes of a private hub: started, replaced when they die, ended together."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import NamedTuple

import click

from weigh.app.mirror.shelf import Shelf
from weigh.cli.mirror_fetch import Wanted, fill
from weigh.cli.mirror_log import Write, log_to
from weigh.cli.mirror_upstream import Far, fetch, renew
from weigh.serve.mirror.settings import Settings
from weigh.serve.mirror.upstream import Upstream, Ways
from weigh.text import Language, say

AGAIN = 0.5  # seconds before a worker that died is replaced


class Hub(NamedTuple):
    """What every worker serves, and how."""

    root: str
    is_cache: bool
    settings: Settings
    encryption: ssl.SSLContext | None
    language: Language
    access_log: str | None
    upstream: str | None
    renew_seconds: float
    models: tuple[Wanted, ...]


def run(hub: Hub, listeners: list[socket.socket], announcement: str) -> int:
    """Until a signal. A single worker is this process itself."""
    if len(listeners) == 1:
        return _work(hub, listeners[0], lambda: _announce(announcement), None)
    return _Crew(hub, listeners).run(announcement)


def fill_only(hub: Hub) -> int:
    """What is named, and nothing is served."""
    return asyncio.run(fill(far_of(hub), hub.models))


class _Crew:
    """As many processes as there are listeners."""

    def __init__(self, hub: Hub, listeners: list[socket.socket]) -> None:
        self._hub = hub
        self._listeners = listeners
        self._context = multiprocessing.get_context("fork")
        self._alive, self._life = os.pipe()  # its other end closes when this process is gone, whatever ended it
        self._ended = False

    def run(self, announcement: str) -> int:
        """Starts all, waits until each listens, then replaces whichever dies."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._end)
        workers = [self._start(listener) for listener in self._listeners]
        sys.stdout.flush()
        for _, ready in workers:
            with suppress(EOFError):
                ready.recv_bytes()
        if not self._ended:
            _announce(announcement)
        processes = [process for process, _ in workers]
        while not self._ended:
            wait([process.sentinel for process in processes], timeout=AGAIN)
            processes = [self._kept(process, at) for at, process in enumerate(processes)]
        self._stop(processes)
        return 0

    def _kept(self, process: BaseProcess, at: int) -> BaseProcess:
        if process.is_alive() or self._ended:
            return process
        process.join()
        time.sleep(AGAIN / 5)
        return self._start(self._listeners[at])[0]

    def _start(self, listener: socket.socket) -> tuple[BaseProcess, Connection]:
        here, there = self._context.Pipe(duplex=False)
        process = self._context.Process(target=self._child, args=(listener, there))
        process.start()
        there.close()
        return process, here

    def _child(self, listener: socket.socket, ready: Connection) -> None:
        os.close(self._life)
        for other in self._listeners:
            if other is not listener:
                other.close()
        hub = self._hub if listener is self._listeners[0] else self._hub._replace(models=())  # the first one fills
        _work(hub, listener, lambda: ready.send_bytes(b"ready"), self._alive)

    def _end(self, number: int, frame: object) -> None:
        self._ended = True

    def _stop(self, processes: list[BaseProcess]) -> None:
        for process in processes:
            process.terminate()
        until = time.monotonic() + self._hub.settings.drain_seconds + 5
        for process in processes:
            process.join(max(until - time.monotonic(), 0))
            if process.is_alive():
                process.kill()
                process.join()


def _work(hub: Hub, listener: socket.socket, ready: Callable[[], None], alive: int | None) -> int:
    """One worker's whole life."""
    _many_files()
    asyncio.run(_live(hub, Place(listener, ready, alive, log_to(hub.access_log))))
    for child in multiprocessing.active_children():
        child.terminate()
    return 0


class Place(NamedTuple):
    """Where a worker stands; `alive` is readable once the process that started it is gone."""

    listener: socket.socket
    ready: Callable[[], None]
    alive: int | None
    log: Write | None


async def _live(hub: Hub, place: Place) -> None:
    from weigh.serve.mirror.library import Library
    from weigh.serve.mirror.service import Terms, serve

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    if place.alive is not None:
        loop.add_reader(place.alive, ended.set)
    shelf = Shelf(root=hub.root, is_cache=hub.is_cache)
    library = Library(shelf, hub.settings, _judges, _through(hub) if hub.upstream is not None else None)
    filling = asyncio.create_task(fill(far_of(hub), hub.models))
    await serve(library, Terms(place.listener, hub.encryption, hub.language, place.log, place.ready), ended)
    filling.cancel()
    with suppress(asyncio.CancelledError):
        await filling


def far_of(hub: Hub) -> Far:
    """Where this hub fetches from; without an upstream what is named is fetched all the same."""
    return Far(
        shelf=Shelf(root=hub.root, is_cache=hub.is_cache),
        address=hub.upstream or "hf",
        policy=hub.settings.policy,
        state=hub.settings.state,
        renew_seconds=hub.renew_seconds,
        tell=lambda saying: click.echo(say(saying, hub.language), err=True),
    )


def _through(hub: Hub) -> Upstream:
    far = far_of(hub)
    is_renewed = hub.renew_seconds > 0
    ways = Ways(partial(fetch, far), partial(renew, far) if is_renewed else None, hub.renew_seconds)
    return Upstream(ways, hub.settings.patience)


def _announce(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()


def _judges() -> Executor:
    """A process of its own, started afresh: it shares no connection with this one."""
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_judging)


def _begin_judging() -> None:
    """An interrupt is for the server; an end takes along who reads behind the wall."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop_judging)


def _stop_judging(number: int, frame: object) -> None:
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(1)


def _many_files() -> None:
    """As many connections as the system lets us have."""
    try:
        import resource
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 1 << 16) if hard > 0 else 1 << 16, hard))
