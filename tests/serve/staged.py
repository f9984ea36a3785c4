"""A server over stage engines, in a process of its own: `python -m tests.serve.staged SETTINGS.json`."""

from __future__ import annotations

import asyncio
import functools
import sys
from pathlib import Path

import msgspec

from weigh.core.engine import Launch
from weigh.core.report import Report
from weigh.core.work import WORKS
from weigh.engines.process import start
from weigh.serve.api.app import create
from weigh.serve.api.listen import listen
from weigh.serve.api.pool import Pool, Ware
from weigh.serve.api.serving import Outside
from weigh.serve.api.settings import Settings

MEGABYTE = 1 << 20


def ware(name: str, settings: Settings) -> Ware:
    """A megabyte each; what is called pinned is."""
    launch = Launch(
        engine="stage",
        path=name,
        works=WORKS,
        format="gguf",
        parallel=settings.parallel,
        job_seconds=settings.job_seconds,
    )
    idle = None if name == "pinned" else settings.idle_seconds
    load = functools.partial(start, "stage", launch)
    return Ware(name=name, nbytes=MEGABYTE, parallel=settings.parallel, idle_seconds=idle, load=load)


async def weigh(text: str) -> Report:
    """Nobody asks."""
    raise NotImplementedError


async def main(settings: Settings) -> None:
    wares = {name: ware(name, settings) for name in settings.models}
    budget = settings.memory if settings.memory is not None else 1 << 30
    pool = Pool(wares, budget=budget, queue=settings.queue, wait_seconds=settings.wait_seconds)
    app = create(pool, settings, "en", Outside(weigh=weigh, write=_write))
    await listen(app, pool, settings, _say)


def _write(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201


def _say(address: str) -> None:
    print(f"listening on {address}", flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Settings)))
