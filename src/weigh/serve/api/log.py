"""One line of JSON a request: what was asked for, by which id, and how it ended; no prompts unless that is wanted."""

from __future__ import annotations

import re
import secrets
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from weigh.core.work import Chat, Job

Record = dict[str, Any]
Span = Callable[[str, Record], AbstractContextManager[object]]
_NO_RECORD: Record = {}
current: ContextVar[Record] = ContextVar("current", default=_NO_RECORD)
_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Logged:
    """Gives every request its id, which the client may have chosen and gets back, and writes its line at its end."""

    def __init__(self, app: ASGIApp, *, write: Callable[[str], None] | None, span: Span | None) -> None:
        self._app = app
        self._write = write
        self._span = span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Around all that follows."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record: Record = {"id": _id_of(scope), "method": scope["method"], "path": scope["path"]}
        said = record["id"].encode()
        headers = ((b"x-request-id", said), (b"request-id", said))  # the second as Anthropic's clients read it
        started = time.monotonic()

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                record["status"] = message["status"]
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        mark = current.set(record)
        try:
            with self._span(f"{scope['method']} {scope['path']}", record) if self._span else nullcontext():
                await self._app(scope, receive, told)
        except BaseException as error:
            record["error"] = "".join(traceback.format_exception(error, limit=-8))
            raise
        finally:
            current.reset(mark)
            self._end(record, time.monotonic() - started)

    def _end(self, record: Record, seconds: float) -> None:
        if self._write is None:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        level = "error" if "error" in record or record.get("status", 0) >= 500 else "info"
        line = {"time": now, "level": level, "event": "request", **record, "seconds": round(seconds, 4)}
        self._write(msgspec.json.encode(line).decode())


def words_of(job: Job) -> object:
    """What was asked, in words: pictures and sounds are left out."""
    if isinstance(job, Chat):
        return [
            {"role": message.role, "content": "".join(piece.text or "" for piece in message.pieces)}
            for message in job.messages
        ]
    asked = {name: getattr(job, name, None) for name in ("prompt", "text", "query", "documents")}
    return {name: value for name, value in asked.items() if value is not None}


def _id_of(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if _ID.fullmatch(given) else secrets.token_hex(8)
