"""Bulk bytes over HTTP: a Client whose answers are read from the socket straight into a buffer."""

from __future__ import annotations

import socket
import ssl
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import NamedTuple
from urllib.parse import SplitResult, quote, unquote, urlsplit

from weigh.sources.client import READ_SECONDS, Traffic

MOST_IDLE = 16  # connections kept open for what comes next
CHUNK = 1 << 16
_AS_IT_IS = "%/:=&?~#+!$,;'@()*[]"


class Surroundings(NamedTuple):
    """What of the user's environment a connection goes by: the proxy for an address, a file of certificates."""

    proxy: Callable[[str], str | None] = lambda url: None
    certificates: str | None = None


class BulkAnswer:
    """One answer; whoever asked reads it to its end or closes it."""

    def __init__(self, response: HTTPResponse, give_back: Callable[[bool], None]) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.getheaders()}
        self._response = response
        self._give_back: Callable[[bool], None] | None = give_back
        self._left = None if response.chunked else response.length
        self._done = self._left == 0

    def readinto(self, buffer: memoryview) -> int:
        """What the next read of the socket brings, at most the buffer full; 0 at the end.

        Raises ConnectionError, TimeoutError.
        """
        if self._done or not buffer:
            return 0
        try:
            count = self._read(buffer)
        except TimeoutError:
            raise
        except (OSError, HTTPException, ValueError) as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        if self._left is not None:
            self._left -= count
        self._done = not count or self._left == 0
        if not count and self._left:
            raise ConnectionError(f"{self._left} bytes missing")
        return count

    def _read(self, buffer: memoryview) -> int:
        if self._left is None:
            return self._response.readinto(buffer)
        # One read of the socket, so that what came before a connection broke is never lost with it.
        return int(self._response.fp.readinto1(buffer[: self._left]))

    def chunks(self) -> Iterator[bytes]:
        """The body as sent, piece by piece."""
        buffer = memoryview(bytearray(CHUNK))
        while count := self.readinto(buffer):
            yield bytes(buffer[:count])

    def close(self) -> None:
        """Give the connection back if all was read, else up; a second call does nothing."""
        if self._give_back is not None:
            self._give_back(self._done)
            self._give_back = None


class BulkClient:
    """A Client by http.client that keeps connections open. `wait` is how it does nothing for so many seconds."""

    def __init__(self, traffic: Traffic, wait: Callable[[float], None], around: Surroundings, *, agent: str) -> None:
        self.wait = wait
        self._traffic = traffic
        self._around = around
        self._headers = {"user-agent": agent, "accept": "*/*", "accept-encoding": "identity"}
        self._idle: dict[tuple[str, str | None], list[HTTPConnection]] = {}
        self._open: set[HTTPConnection] = set()
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    def get(self, url: str, headers: Mapping[str, str]) -> BulkAnswer:
        """The head of the answer. Raises ConnectionError, TimeoutError."""
        self._traffic.add(requests=1)
        try:
            parts = urlsplit(url)
            proxy = self._around.proxy(url)
            if (kept := self._kept(parts, proxy)) is not None:
                try:
                    return self._ask(kept, parts, proxy, headers)
                except (HTTPException, OSError):
                    self._drop(kept)  # the server had closed it meanwhile
            connection = self._connect(parts, proxy)
            try:
                return self._ask(connection, parts, proxy, headers)
            except BaseException:
                self._drop(connection)
                raise
        except TimeoutError:
            raise
        except (HTTPException, OSError, ValueError) as error:
            raise ConnectionError(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """End every connection, those in use as well: whoever reads one sees a ConnectionError."""
        with self._lock:
            open_, self._open, self._idle = self._open, set(), {}
        for connection in open_:
            if isinstance(connection.sock, socket.socket):
                with suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _ask(
        self, connection: HTTPConnection, parts: SplitResult, proxy: str | None, headers: Mapping[str, str]
    ) -> BulkAnswer:
        told = {**self._headers, **{name.lower(): value for name, value in headers.items()}}
        target = quote(parts._replace(scheme="", netloc="", fragment="").geturl() or "/", safe=_AS_IT_IS)
        if proxy is not None and parts.scheme == "http":
            target = f"http://{parts.netloc.rpartition('@')[2]}{target}"
            told |= _authorization(proxy)
        told["host"] = parts.netloc.rpartition("@")[2]
        connection.request("GET", target, headers=told)
        response = connection.getresponse()
        key = (f"{parts.scheme}://{parts.netloc}", proxy)
        return BulkAnswer(response, lambda whole: self._back(key, connection, response, whole=whole))

    def _connect(self, parts: SplitResult, proxy: str | None) -> HTTPConnection:
        secure = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port
        if proxy is None:
            connection = self._plain(host, port, secure=secure)
        else:
            way = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
            connection = self._plain(way.hostname or "", way.port or 80, secure=secure)
            if secure:
                connection.set_tunnel(host, port or 443, headers=_authorization(proxy))
        with self._lock:
            self._open.add(connection)
        return connection

    def _plain(self, host: str, port: int | None, *, secure: bool) -> HTTPConnection:
        if not secure:
            return HTTPConnection(host, port, timeout=READ_SECONDS)
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self._around.certificates or _bundled())
        return HTTPSConnection(host, port, timeout=READ_SECONDS, context=self._context)

    def _kept(self, parts: SplitResult, proxy: str | None) -> HTTPConnection | None:
        with self._lock:
            idle = self._idle.get((f"{parts.scheme}://{parts.netloc}", proxy))
            return idle.pop() if idle else None

    def _back(
        self, key: tuple[str, str | None], connection: HTTPConnection, response: HTTPResponse, *, whole: bool
    ) -> None:
        again = whole and not response.will_close
        response.close()
        with self._lock:
            idle = self._idle.setdefault(key, [])
            if again and connection in self._open and len(idle) < MOST_IDLE:
                idle.append(connection)
                return
        self._drop(connection)

    def _drop(self, connection: HTTPConnection) -> None:
        with self._lock:
            self._open.discard(connection)
        connection.close()


def _authorization(proxy: str) -> dict[str, str]:
    """Who we are to a proxy whose address says it."""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if parts.username is None:
        return {}
    secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"proxy-authorization": f"Basic {b64encode(secret.encode()).decode('ascii')}"}


def _bundled() -> str | None:
    """The certificates that httpx brings along, as the rest of the program goes by."""
    try:
        import certifi
    except ImportError:
        return None
    return certifi.where()
