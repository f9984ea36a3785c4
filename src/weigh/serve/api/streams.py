"""Answers that come piece by piece, ended when the client goes or takes nothing for too long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from weigh.core.work import Event, Job
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.serving import Serving, until_gone

SSE = "text/event-stream"
NDJSON = "application/x-ndjson"
_NO_CACHE = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_LOOKS = 4  # at a client that takes nothing, before it is given up


class Teller(Protocol):
    """Events in the words of one route, as the bytes of its stream."""

    def begin(self) -> Iterable[bytes]:
        """Before the first event."""

    def tell(self, event: Event) -> Iterable[bytes]:
        """Of one event; Done is the last."""

    def fail(self, refusal: Refusal) -> Iterable[bytes]:
        """What went wrong on the way: nothing comes after it."""


async def streamed(
    serving: Serving, request: Request, job: tuple[str, Job | Sequence[Job]], teller: Teller, kind: str
) -> Response:
    """`job`, or jobs one after another, with the name of the model.

    What is refused before the first event is refused with a status."""
    events = serving.run(*job)
    try:
        first = await until_gone(request, anext(events))
    except BaseException:
        await events.aclose()
        raise
    return Streamed(_told(first, events, teller), kind, serving.settings.stall_seconds)


async def _told(
    first: Event, events: AsyncGenerator[Event, None], teller: Teller
) -> AsyncGenerator[Iterable[bytes], None]:
    async with aclosing(events):
        try:
            yield (*teller.begin(), *teller.tell(first))
            async for event in events:
                yield teller.tell(event)
        except Refusal as refusal:
            yield teller.fail(refusal)


class Streamed(Response):
    """Sends what `chunks` gives; closes it when it cannot."""

    def __init__(self, chunks: AsyncGenerator[Iterable[bytes], None], kind: str, stall_seconds: float) -> None:
        self.status_code = 200
        self.media_type = kind
        self.body = b""
        self.background = None
        self.init_headers(_NO_CACHE)
        del self.raw_headers[[name for name, _ in self.raw_headers].index(b"content-length")]
        self._chunks = chunks
        self._stall_seconds = stall_seconds
        self._sending_since: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Until the end of the chunks, or of the client's patience or ours."""
        sending = asyncio.ensure_future(self._send(send))
        gone = asyncio.ensure_future(_hung_up(receive))
        try:
            while not sending.done() and not gone.done() and not self._is_stalled():
                await asyncio.wait(
                    (sending, gone), timeout=self._stall_seconds / _LOOKS, return_when=asyncio.FIRST_COMPLETED
                )
        finally:
            gone.cancel()
            if not sending.done():
                sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            await self._chunks.aclose()
        if not sending.cancelled():
            sending.result()

    def _is_stalled(self) -> bool:
        since = self._sending_since
        return since is not None and asyncio.get_running_loop().time() - since > self._stall_seconds

    async def _send(self, send: Send) -> None:
        time = asyncio.get_running_loop().time
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for chunks in self._chunks:
            body = b"".join(chunks)
            if not body:
                continue
            self._sending_since = time()
            await send({"type": "http.response.body", "body": body, "more_body": True})
            self._sending_since = None
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
