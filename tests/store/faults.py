"""A hub that fails as it is told to, and the means to fetch from it in this process."""

from __future__ import annotations

import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tests.hubs.server import hub
from tests.loopback import Asked, Content, Loopback, Reply, serving
from weigh.sources.bulk import BulkClient, Surroundings
from weigh.sources.client import Traffic
from weigh.sources.request import Ask
from weigh.store.digest import Digest
from weigh.store.line import Line, Want
from weigh.store.pace import Pace

Fault = Callable[[Reply, int, Asked], Reply]  # the right answer, how often this file was asked for before, the request


@contextmanager
def faulty(files: Mapping[str, Content], fault: Fault, *, id: str = "org/name") -> Iterator[Loopback]:
    """Both hubs' protocols over the files; what is asked of a file's bytes goes through the fault."""
    right, asked_before = hub(files, id=id), Counter[str]()

    def answer(asked: Asked) -> Reply:
        reply = right(asked)
        if "/resolve/" not in asked.path and "FilePath=" not in asked.path:
            return reply
        before = asked_before[asked.path]
        asked_before[asked.path] += 1
        return fault(reply, before, asked)

    with serving(answer) as server:
        yield server


def none(reply: Reply, before: int, asked: Asked) -> Reply:
    """All is well."""
    return reply


def flip(body: bytes, at: int) -> bytes:
    """One bit of the byte is wrong."""
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :] if at < len(body) else body


def start_of(asked: Asked) -> int:
    """Where the range begins that is asked for."""
    said = re.match(r"bytes=(\d+)-", asked.headers.get("range", ""))
    return int(said[1]) if said is not None else 0


def bytes_of(server: Loopback) -> list[str]:
    """The ranges that were asked of files, `-` for a whole one."""
    return [
        one.headers.get("range", "-").removeprefix("bytes=")
        for one in server.asked
        if "/resolve/" in one.path or "FilePath=" in one.path
    ]


class Means:
    """A line that waits no time, and notes how long it would have."""

    def __init__(self, rate: int | None = None) -> None:
        self.waited: list[float] = []
        self.told: list[tuple[str, int]] = []
        self.client = BulkClient(Traffic(), self.waited.append, Surroundings(), agent="test")
        self.stop = threading.Event()
        self.line = Line(
            self.client,
            Pace(rate, time.monotonic, self.waited.append),
            time.monotonic,
            lambda path, nbytes: self.told.append((path, nbytes)),
            lambda path: None,
            lambda: None,
        )


def wanted(server: Loopback, path: str, content: bytes, digest: Digest, *others: Loopback) -> Want:
    """The file at the hub of `faulty`, and at others."""
    urls = [f"{one.url}/org/name/resolve/main/{path}" for one in (server, *others)]
    return Want(path=path, nbytes=len(content), digest=digest, sources=tuple(Ask(url=url, path=path) for url in urls))


def noise(nbytes: int, seed: int = 7) -> bytes:
    """Bytes no two ranges of which are alike."""
    import random

    return random.Random(seed).randbytes(nbytes)


def environment(server: Loopback, home: object, **more: str) -> dict[str, str]:
    """Of a child process that finds both hubs at the server and keeps all below `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return kept | {
        "HF_ENDPOINT": server.url,
        "MODELSCOPE_ENDPOINT": server.url,
        "HF_HUB_CACHE": f"{home}/hub",
        "MODELSCOPE_CACHE": f"{home}/ms",
        "WEIGH_HOME": f"{home}/weigh",
        "HF_TOKEN": "",
        "HOME": str(home),
        **more,
    }
