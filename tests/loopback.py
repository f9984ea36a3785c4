"""A web server on this machine: each test says what it answers, and reads what it was asked."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple, Protocol

from weigh.sources.client import HttpxClient, Traffic

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"  # whatever stands between this machine and others


class Content(Protocol):
    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...


class Sparse:
    """So many bytes, zeros but for a piece at the start and one at the end."""

    def __init__(self, head: bytes, size: int, tail: bytes = b"") -> None:
        self.head, self.size, self.tail = head, size, tail

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, part: slice, /) -> bytes:
        start, stop, _ = part.indices(self.size)
        behind = self.size - len(self.tail)
        middle = max(min(stop, behind) - max(start, len(self.head)), 0)
        return self.head[start:stop] + bytes(middle) + self.tail[max(start - behind, 0) : max(stop - behind, 0)]


class Asked(NamedTuple):
    path: str
    headers: Mapping[str, str]


class Reply(NamedTuple):
    """`cut` ends the connection after so many bytes of the body; `pause` is waited before the body, `slow` seconds after
    every 16 KiB of it."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    cut: int | None = None
    pause: threading.Event | None = None
    slow: float = 0.0


class Loopback:
    """The running server: where it is, what it was asked, how many bytes of bodies it sent."""

    def __init__(self, answer: Callable[[Asked], Reply], url: str) -> None:
        self.answer, self.url = answer, url
        self.asked: list[Asked] = []
        self.sent = 0


def ranged(asked: Asked, content: Content, **headers: str) -> Reply:
    """What a server that gives ranges answers; names of fields with `_` for `-`."""
    given = {"accept-ranges": "bytes", "etag": '"one"'} | {
        name.replace("_", "-"): said for name, said in headers.items()
    }
    said = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.headers.get("range", ""))
    if said is None:
        return Reply(200, given, content[0 : len(content)])
    first, last = int(said[1]), min(int(said[2] or len(content)), len(content) - 1)
    if first >= len(content):
        return Reply(416, given | {"content-range": f"bytes */{len(content)}"})
    given["content-range"] = f"bytes {first}-{last}/{len(content)}"
    return Reply(206, given, content[first : last + 1])


@contextmanager
def serving(answer: Callable[[Asked], Reply]) -> Iterator[Loopback]:
    """A server on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.loopback = Loopback(answer, f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.loopback  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        loopback: Loopback = self.server.loopback  # type: ignore[attr-defined]
        asked = Asked(self.path, {name.lower(): said for name, said in self.headers.items()})
        loopback.asked.append(asked)
        reply = loopback.answer(asked)
        self.send_response_only(reply.status)
        fields = {"content-length": str(len(reply.body))} | dict(reply.headers)
        for name, said in fields.items():
            self.send_header(name, said)
        self.end_headers()
        if reply.pause is not None:
            reply.pause.wait(5)
        self._send(loopback, reply)

    do_HEAD = do_GET

    def _send(self, loopback: Loopback, reply: Reply) -> None:
        if self.command == "HEAD":
            return
        body = reply.body if reply.cut is None else reply.body[: reply.cut]
        try:
            for at in range(0, len(body), 1 << 14):
                self.wfile.write(body[at : at + (1 << 14)])
                loopback.sent += len(body[at : at + (1 << 14)])
                time.sleep(reply.slow)
        except OSError:
            self.close_connection = True
        if reply.cut is not None or str(len(reply.body)) != reply.headers.get("content-length", str(len(reply.body))):
            self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Hasty(HttpxClient):
    """Waits no time, but says how long it would have."""

    def __init__(self) -> None:
        self.traffic = Traffic()
        super().__init__(self.traffic, agent="test")
        self.waited: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
