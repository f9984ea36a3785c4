"""A server that stands before another and does one thing wrong, as it is told."""

from __future__ import annotations

import re
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

PIECE = 1 << 17
PATIENCE = 60.0  # seconds that a stalled connection waits for its client to leave, or to be broken
TICK = 0.05
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "server", "date"}


class Passing(NamedTuple):
    """A request on its way; `before` counts those for the bytes of the same file before it."""

    method: str
    path: str
    headers: Mapping[str, str]
    before: int


class Deed(NamedTuple):
    """What is done to it: `refusal` is a status, its fields and body in place of the answer; `whole` drops the range;
    after so many bytes of the body it is `cut`, or is to `stall`; the byte of the file at `flip` is wrong; `headers` are more."""

    refusal: tuple[int, Mapping[str, str], bytes] | None = None
    whole: bool = False
    cut: int | None = None
    stall: int | None = None
    flip: int | None = None
    headers: Mapping[str, str] = {}


class Sent(NamedTuple):
    """Bytes of a file that went out: where they began, where they were to end, how many."""

    path: str
    start: int
    stop: int
    nbytes: int


Fault = Callable[[Passing], Deed]


class Proxy:
    """Where it listens, what it does wrong, what it gave of files."""

    def __init__(self, url: str, upstream: str) -> None:
        self.url = url
        self.upstream = upstream
        self.fault: Fault = lambda passing: Deed()
        self.sent: list[Sent] = []
        self.asked: list[Passing] = []
        self.stalled, self.broken = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def passing(self, method: str, path: str, headers: Mapping[str, str]) -> Passing:
        """Noted down."""
        with self._lock:
            key = is_of_a_file(method, path)
            before = sum(key and one.path == path and one.method == method for one in self.asked)
            passing = Passing(method, path, headers, before)
            self.asked.append(passing)
        return passing


def is_of_a_file(method: str, path: str) -> bool:
    """Does it ask for the bytes of a file?"""
    return method == "GET" and ("/resolve/" in path or "FilePath=" in path)


@contextmanager
def standing_before(upstream: str, certificate: tuple[Path, Path] | None = None) -> Iterator[Proxy]:
    """On a free port of this machine, with a certificate over TLS."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    scheme = "http" if certificate is None else "https"
    server.proxy = Proxy(f"{scheme}://127.0.0.1:{server.server_port}", upstream)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.proxy  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # when it is closed, all that went out has been counted

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients leave as they like."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        proxy: Proxy = self.server.proxy  # type: ignore[attr-defined]
        passing = proxy.passing(self.command, self.path, {name.lower(): said for name, said in self.headers.items()})
        body = self.rfile.read(int(passing.headers.get("content-length", "0")))
        deed = proxy.fault(passing)
        with suppress(OSError):
            if deed.refusal is not None:
                self._refuse(*deed.refusal)
                return
            self._pass_on(proxy, passing, deed, body)
            return
        self.close_connection = True

    do_HEAD = do_POST = do_PUT = do_GET

    def _refuse(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, said in {"content-length": str(len(body)), **headers}.items():
            self.send_header(name, said)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _pass_on(self, proxy: Proxy, passing: Passing, deed: Deed, body: bytes) -> None:
        connection = HTTPConnection(urlsplit(proxy.upstream).netloc, timeout=60)
        try:
            dropped = {"connection", "range"} if deed.whole else {"connection"}
            told = {name: said for name, said in passing.headers.items() if name not in dropped}
            connection.request(passing.method, passing.path, body or None, told)
            answer = connection.getresponse()
            self.send_response_only(answer.status)
            for name, said in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, said)
            for name, said in deed.headers.items():
                self.send_header(name, said)
            self.end_headers()
            self._pour(proxy, passing, deed, answer)
        finally:
            connection.close()

    def _pour(self, proxy: Proxy, passing: Passing, deed: Deed, answer: HTTPResponse) -> None:
        start, count = _start(answer), 0
        most = min(one for one in (deed.cut, deed.stall, 1 << 62) if one is not None)
        try:
            while count < most and (data := answer.read(min(PIECE, most - count))):
                at = -1 if deed.flip is None else deed.flip - start - count
                if 0 <= at < len(data):
                    data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
                self.wfile.write(data)
                count += len(data)
        finally:
            if is_of_a_file(passing.method, passing.path) and answer.status in (200, 206):
                stop = start + int(answer.headers.get("content-length", "0"))
                proxy.sent.append(Sent(passing.path, start, stop, count))
        if count == deed.stall:
            proxy.stalled.set()
            until = time.monotonic() + PATIENCE
            while not (proxy.broken.is_set() or time.monotonic() > until):
                if select.select([self.connection], [], [], TICK)[0]:
                    break
        if count == most:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_WR)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def _start(answer: HTTPResponse) -> int:
    """Of the file, where the body begins."""
    said = re.match(r"bytes (\d+)-", answer.headers.get("content-range", ""))
    return int(said[1]) if said is not None else 0
