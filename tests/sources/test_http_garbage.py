"""A server that sends anything at all: a Source's bytes or NotFetched, never another error."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.loopback import Hasty
from weigh.sources.http import HttpSource
from weigh.sources.refusals import NotFetched
from weigh.sources.request import Ask

GOOD = (
    b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-99/100\r\nContent-Length: 100\r\nETag: \"a\"\r\n\r\n" + b"m" * 100,
    b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-99/100\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + b"m" * 100 + b"\r\n0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 429 Too Many\r\nRetry-After: Sun, 06 Nov 1994 08:49:40 GMT\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 403 No\r\nX-Error-Message: no\r\nContent-Length: 15\r\n\r\n{\"error\": \"no\"}",
)  # fmt: skip


@contextmanager
def saying(replies: Iterator[bytes]) -> Iterator[str]:
    """A socket that answers each connection with the next reply and closes it."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(next(replies))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/m"
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def mutated(seed: int) -> Iterator[bytes]:
    """One whole answer after another, each with a few bytes changed, lost or doubled."""
    chance = random.Random(seed)
    while True:
        reply = bytearray(chance.choice(GOOD))
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(reply))
            match chance.randrange(4):
                case 0:
                    reply[at] = chance.randrange(256)
                case 1:
                    del reply[at : at + chance.randrange(1, 9)]
                case 2:
                    reply[at:at] = reply[max(at - 8, 0) : at]
                case _:
                    reply = reply[: at + 1]
        yield bytes(reply) or b"x"


@pytest.mark.parametrize("seed", range(60))
def test_whatever_a_server_sends_is_bytes_or_not_fetched(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weigh.sources.client.READ_SECONDS", 1.0)
    client = Hasty()
    with saying(mutated(seed)) as url:
        try:
            source = HttpSource(client, Ask(url=url, path="m"))
            assert len(source.read(0, source.size)) == source.size
        except NotFetched:
            pass
    client.close()
