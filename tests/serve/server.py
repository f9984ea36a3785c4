"""The real `weigh serve` in a process of its own, for stock clients to talk to."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def serving(*arguments: str) -> Iterator[str]:
    """Its address, once it listens."""
    command = (sys.executable, "-m", "weigh", "serve", *arguments, "--port", "0")
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        try:
            yield line.removeprefix("listening on ").strip()
        finally:
            server.terminate()
            server.wait(30)
