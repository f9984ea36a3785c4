"""The real `weigh serve` in a process of its own, for stock clients to talk to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TextIO

import msgspec

HERE = Path(__file__).parent


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    """Its address, once it listens."""
    with process(sys.executable, "-m", "weigh", "serve", *arguments, "--port", "0") as (address, _):
        yield address


@contextmanager
def staging(
    folder: Path,
    *models: str,
    preexec: Callable[[], None] | None = None,
    log: TextIO | None = None,
    **settings: object,
) -> Iterator[Staged]:
    """A server over engines of tests/serve/stage.py."""
    file = folder / "settings.json"
    named = {name: {"reference": name} for name in models or ("stage",)}
    file.write_bytes(msgspec.json.encode({"models": named, "port": 0, "wait_seconds": 30, **settings}))
    with process(sys.executable, "-m", "tests.serve.staged", str(file), preexec=preexec, log=log) as (address, server):
        yield Staged(address, server)


class Staged(NamedTuple):
    """`server` may be told to end, and asked what it takes."""

    address: str
    server: subprocess.Popen[str]


@contextmanager
def process(
    *command: str, preexec: Callable[[], None] | None = None, log: TextIO | None = None
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """What it says it listens on, and itself; its log goes where ours goes."""
    path = os.pathsep.join((str(HERE), str(HERE.parents[1]), *filter(None, sys.path)))
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": path}
    here = HERE.parents[1]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, cwd=here, preexec_fn=preexec, stderr=log
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        try:
            yield line.removeprefix("listening on ").strip(), server
        finally:
            server.terminate()
            server.wait(30)
