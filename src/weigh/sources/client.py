"""What is asked of an HTTP client, and httpx as the one that answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS, READ_SECONDS = 10.0, 15.0
GRACE_SECONDS = 20.0  # before a slow answer is held against LEAST_RATE
LEAST_RATE = 2048  # bytes a second


class Answer(Protocol):
    """One answer: its head is here, its body comes when asked for."""

    @property
    def status(self) -> int:
        """The status code."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The fields of its head, names in lower case."""

    def chunks(self) -> Iterator[bytes]:
        """The body as sent, not decoded. Raises ConnectionError, TimeoutError."""

    def close(self) -> None:
        """Give the connection up or back; what was not read of the body is never fetched."""


class Client(Protocol):
    """One GET at a time and no redirects followed; many threads may ask."""

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """The head of the answer. Raises ConnectionError, TimeoutError."""

    def wait(self, seconds: float) -> None:
        """Do nothing for so long."""


class Traffic:
    """How much was asked of the network so far; `changed` is called after every piece, from any thread."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self.requests = 0
        self.nbytes = 0
        self.changed = changed
        self._lock = threading.Lock()

    def add(self, *, requests: int = 0, nbytes: int = 0) -> None:
        """Count them in."""
        with self._lock:
            self.requests += requests
            self.nbytes += nbytes
        self.changed()


class HttpxClient:
    """A Client by httpx, which goes by the proxies that the environment names. `agent` is who we say we are."""

    def __init__(self, traffic: Traffic, *, agent: str) -> None:
        import httpx

        self._traffic = traffic
        self._client = httpx.Client(
            follow_redirects=False,
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            headers={"user-agent": agent, "accept": "*/*", "accept-encoding": "identity"},
        )

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """The head of the answer. Raises ConnectionError, TimeoutError."""
        import httpx

        self._traffic.add(requests=1)
        stack = ExitStack()
        try:
            response = stack.enter_context(self._client.stream("GET", url, headers=dict(headers)))
        except httpx.TimeoutException as error:
            raise TimeoutError(type(error).__name__) from error
        except (httpx.TransportError, httpx.InvalidURL, OSError, UnicodeError) as error:
            raise ConnectionError(str(error) or type(error).__name__) from error
        return _HttpxAnswer(response, stack, self._traffic)

    def wait(self, seconds: float) -> None:
        """Do nothing for so long."""
        time.sleep(seconds)

    def close(self) -> None:
        """Give every connection back."""
        self._client.close()


class _HttpxAnswer:
    def __init__(self, response: httpx.Response, stack: ExitStack, traffic: Traffic) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self._response = response
        self._stack = stack
        self._traffic = traffic

    def chunks(self) -> Iterator[bytes]:
        """The body as sent; one that trickles is given up."""
        import httpx

        started, received = time.monotonic(), 0
        try:
            for chunk in self._response.iter_raw():
                received += len(chunk)
                self._traffic.add(nbytes=len(chunk))
                yield chunk
                if time.monotonic() - started > GRACE_SECONDS + received / LEAST_RATE:
                    raise TimeoutError("SlowBody")
        except httpx.TimeoutException as error:
            raise TimeoutError(type(error).__name__) from error
        except (httpx.TransportError, httpx.StreamError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise ConnectionError(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Give the connection up or back."""
        self._stack.close()
