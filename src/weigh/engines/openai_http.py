"""A server that speaks OpenAI's API, as a running model: jobs go out as requests, its stream comes back as Events."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import httpx
import msgspec

from weigh.core.engine import Failed, Launch, Ready
from weigh.core.work import Chat, Complete, Done, Embed, Event, Fault, Job, Rerank, Scores, Usage, Vectors, work_of
from weigh.engines.openai_words import Answer, chat_request, complete_request, fault_of

SECONDS_TO_CONNECT = 10.0
MOST_LINE = 1 << 24
MOST_ANSWER = 1 << 28
MOST_DETAIL = 500

Close = Callable[[], Awaitable[None]]


class _Row(msgspec.Struct):
    index: int
    embedding: list[float] = msgspec.field(default_factory=list)
    relevance_score: float = 0.0


class _Count(msgspec.Struct):
    prompt_tokens: int = 0
    total_tokens: int = 0


class _Rows(msgspec.Struct):
    data: list[_Row] = msgspec.field(default_factory=list)
    results: list[_Row] = msgspec.field(default_factory=list)
    usage: _Count | None = None


class _Error(msgspec.Struct):
    message: str = ""
    type: str | None = None


class _Refusal(msgspec.Struct):
    error: _Error | str | None = None
    message: str | None = None


_ROWS = msgspec.json.Decoder(_Rows)
_REFUSALS = msgspec.json.Decoder(_Refusal)


class Served:
    """Jobs run at once; the server batches them. `close` lets go of what was started for it."""

    def __init__(self, client: httpx.AsyncClient, launch: Launch, close: Close | None = None) -> None:
        self._client = client
        self._launch = launch
        self._close = close
        self._name = launch.name or launch.path
        self.ready = Ready(works=launch.works, parallel=launch.parallel, context_length=launch.context_length)

    async def run(self, job: Job) -> AsyncGenerator[Event, None]:
        """Ends with Done or Fault; closing it breaks off the request, by which such servers give a job up."""
        try:
            async with asyncio.timeout(self._launch.job_seconds), aclosing(self._events(job)) as events:
                async for event in events:
                    yield event
        except TimeoutError:
            yield Fault(kind="timed_out", detail=f"{self._launch.job_seconds:g} seconds")
        except Failed as error:
            yield error.fault
        except httpx.HTTPError as error:
            yield Fault(kind="engine_died", detail=_line(f"{type(error).__name__}: {error}"))
        except (msgspec.DecodeError, struct.error, IndexError) as error:
            yield Fault(kind="failed", detail=_line(f"it does not answer as the API says: {error}"))

    async def close(self) -> None:
        """Twice is once."""
        await self._client.aclose()
        close, self._close = self._close, None
        if close is not None:
            await close()

    async def _events(self, job: Job) -> AsyncGenerator[Event, None]:
        match job:
            case Chat():
                body = chat_request(job, self._name)
                events = self._stream("/v1/chat/completions", body, job.sampling.top_logprobs)
            case Complete():
                body = complete_request(job, self._name)
                events = self._stream("/v1/completions", body, job.sampling.top_logprobs)
            case Embed():
                events = self._embed(job)
            case Rerank():
                events = self._rank(job)
            case _:
                raise Failed(Fault(kind="unsupported", detail=f"such servers do not {work_of(job)}"))
        async with aclosing(events):
            async for event in events:
                yield event

    async def _stream(self, path: str, body: dict[str, Any], top: int | None) -> AsyncGenerator[Event, None]:
        answer = Answer(top)
        async with self._client.stream("POST", path, content=msgspec.json.encode(body)) as response:
            await _refuse(response)
            async for data in _messages(response):
                for event in answer.take(data):
                    yield event
        yield answer.last()

    async def _embed(self, job: Embed) -> AsyncGenerator[Event, None]:
        if any(piece.text is None for piece in job.pieces):
            raise Failed(Fault(kind="unsupported", detail="such servers embed texts alone"))
        body: dict[str, Any] = {"model": self._name, "input": [piece.text for piece in job.pieces]}
        if job.dimensions is not None:
            body["dimensions"] = job.dimensions
        said = await self._asked("/v1/embeddings", body)
        rows = [row.embedding for row in sorted(said.data, key=lambda row: row.index)]
        if len(rows) != len(job.pieces) or not rows[0]:
            raise Failed(Fault(kind="failed", detail=f"{len(rows)} vectors for {len(job.pieces)} texts"))
        width = len(rows[0])
        yield Vectors(dimensions=width, data=b"".join(struct.pack(f"<{width}f", *row) for row in rows))
        yield Done(usage=Usage(prompt_tokens=said.usage.prompt_tokens if said.usage else 0))

    async def _rank(self, job: Rerank) -> AsyncGenerator[Event, None]:
        body = {"model": self._name, "query": job.query, "documents": job.documents}
        said = await self._asked("/v1/rerank", body)
        scores = {row.index: row.relevance_score for row in said.results}
        if scores.keys() != set(range(len(job.documents))):
            raise Failed(Fault(kind="failed", detail=f"{len(scores)} scores for {len(job.documents)} documents"))
        yield Scores(scores=tuple(scores[index] for index in range(len(job.documents))))
        yield Done(usage=Usage(prompt_tokens=said.usage.total_tokens if said.usage else 0))

    async def _asked(self, path: str, body: dict[str, Any]) -> _Rows:
        async with self._client.stream("POST", path, content=msgspec.json.encode(body)) as response:
            await _refuse(response)
            return _ROWS.decode(await _whole(response))


def client_for(address: str, key: str | None = None) -> httpx.AsyncClient:
    """No time is set for an answer: a job has its own."""
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    base = address.rstrip("/").removesuffix("/v1")
    timeout = httpx.Timeout(None, connect=SECONDS_TO_CONNECT)
    return httpx.AsyncClient(base_url=base, headers=headers, timeout=timeout, trust_env=False)


async def _messages(response: httpx.Response) -> AsyncIterator[str]:
    """The data of server-sent events, up to [DONE]."""
    async for line in response.aiter_lines():
        if len(line) > MOST_LINE:
            raise Failed(Fault(kind="failed", detail=f"a line of {len(line)} characters"))
        if line.startswith("data:"):
            data = line.removeprefix("data:").strip()
            if data == "[DONE]":
                return
            yield data


async def _refuse(response: httpx.Response) -> None:
    """Raises Failed where the server does not take the job, with what it says."""
    if response.status_code == 200:
        return
    status, body = f"{response.status_code} {response.reason_phrase}", await _whole(response)
    try:
        said = _REFUSALS.decode(body)
    except msgspec.DecodeError:
        said = _Refusal(message=body.decode("utf-8", "replace"))
    error = said.error if isinstance(said.error, _Error) else _Error(message=said.error or said.message or "")
    kind = fault_of(error.type or "", error.message).kind
    if kind != "context_overflow":
        kind = "bad_input" if response.status_code in (400, 404, 413, 422) else "failed"
    raise Failed(Fault(kind=kind, detail=_line(f"{status}: {error.message}")))


async def _whole(response: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MOST_ANSWER:
            raise Failed(Fault(kind="failed", detail=f"an answer of more than {MOST_ANSWER} bytes"))
    return bytes(body)


def _line(text: str) -> str:
    return " ".join(text.split())[:MOST_DETAIL]
