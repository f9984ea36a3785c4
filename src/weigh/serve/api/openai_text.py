"""OpenAI's routes for text: chats, completions, embeddings, and the list of models."""

from __future__ import annotations

import base64
import secrets
import struct
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from weigh.core.work import Chat, Complete, Delta, Done, Event, ToolCall, Usage, Vectors
from weigh.serve.api.openai_shapes import (
    ChatRequest,
    CompletionRequest,
    EmbeddingRequest,
    chat_of,
    complete_of,
    embed_of,
)
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.serving import Serving, body_of
from weigh.serve.api.tell import as_json, openai_error

Json = dict[str, Any]
encode = msgspec.json.encode
NO_CACHE = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


def routes(serving: Serving) -> list[Route]:
    """Each with the server it belongs to."""

    async def chat(request: Request) -> Response:
        asked = await body_of(request, ChatRequest, serving.settings.body_bytes)
        with_usage = bool(asked.stream_options and asked.stream_options.include_usage)
        spoken = _Chat(serving.name_of(asked.model), with_usage=with_usage)
        return await _answer(serving, request, chat_of(asked), spoken, stream=bool(asked.stream))

    async def complete(request: Request) -> Response:
        asked = await body_of(request, CompletionRequest, serving.settings.body_bytes)
        with_usage = bool(asked.stream_options and asked.stream_options.include_usage)
        spoken = _Completion(serving.name_of(asked.model), with_usage=with_usage)
        return await _answer(serving, request, complete_of(asked), spoken, stream=bool(asked.stream))

    async def embed(request: Request) -> Response:
        asked = await body_of(request, EmbeddingRequest, serving.settings.body_bytes)
        name = serving.name_of(asked.model)
        events = await serving.whole(request, name, embed_of(asked))
        return as_json(_embeddings(events, name, is_packed=asked.encoding_format == "base64"))

    async def models(request: Request) -> Response:
        return as_json({"object": "list", "data": [_model(serving, name) for name in serving.pool.slots]})

    async def model(request: Request) -> Response:
        return as_json(_model(serving, serving.name_of(request.path_params["name"])))

    return [
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/completions", complete, methods=["POST"]),
        Route("/v1/embeddings", embed, methods=["POST"]),
        Route("/v1/models", models),
        Route("/v1/models/{name:path}", model),
    ]


def _model(serving: Serving, name: str) -> Json:
    slot = serving.pool.slots[name]
    return {
        "id": name,
        "object": "model",
        "created": serving.started,
        "owned_by": "weigh",
        "loaded": slot.running is not None,
        "context_length": slot.running.ready.context_length if slot.running is not None else None,
    }


async def _answer(
    serving: Serving, request: Request, job: Chat | Complete, spoken: _Spoken, *, stream: bool
) -> Response:
    if not stream:
        return as_json(spoken.whole(await serving.whole(request, spoken.model, job)))
    events = serving.run(spoken.model, job)
    try:
        first = await anext(events)  # what is refused is refused with a status
    except BaseException:
        await events.aclose()
        raise
    body = _stream(first, events, spoken, serving)
    return StreamingResponse(body, media_type="text/event-stream", headers=NO_CACHE)


async def _stream(
    first: Event, events: AsyncGenerator[Event, None], spoken: _Spoken, serving: Serving
) -> AsyncGenerator[bytes, None]:
    """Server-sent events; what goes wrong on the way is one more event, and then the end."""
    async with aclosing(events):
        try:
            for chunk in (*spoken.begin(), *spoken.chunks(first)):
                yield _event(chunk)
            async for event in events:
                for chunk in spoken.chunks(event):
                    yield _event(chunk)
        except Refusal as refusal:
            yield _event(openai_error(refusal, serving.language))
    yield b"data: [DONE]\n\n"


def _event(chunk: Json) -> bytes:
    return b"data: " + encode(chunk) + b"\n\n"


class _Spoken:
    """Events in the words of one route."""

    kind = ""

    def __init__(self, model: str, *, with_usage: bool) -> None:
        self.model = model
        self.with_usage = with_usage
        self.id = f"{self.kind}-{secrets.token_hex(12)}"
        self.created = int(time.time())
        self.has_called = False

    def begin(self) -> list[Json]:
        """What comes before the first word."""
        return []

    def whole(self, events: list[Event]) -> Json:
        """The answer in one piece."""
        raise NotImplementedError

    def delta(self, event: Delta) -> Json:
        """One choice of a chunk."""
        raise NotImplementedError

    def last(self, event: Done) -> Json:
        """The choice of the chunk that ends it."""
        raise NotImplementedError

    def chunks(self, event: Event) -> list[Json]:
        """Of one event."""
        match event:
            case Delta():
                self.has_called = self.has_called or bool(event.tool_calls)
                return [self.framed([self.delta(event)])]
            case Done():
                last = [self.framed([self.last(event)])]
                return [*last, self.framed([], usage_of(event.usage))] if self.with_usage else last
            case _:
                return []

    def framed(self, choices: list[Json], usage: Json | None = None) -> Json:
        """A chunk."""
        chunk: Json = {
            "id": self.id,
            "object": f"{self.kind_of_chunk}",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }
        if self.with_usage:
            chunk["usage"] = usage
        return chunk

    @property
    def kind_of_chunk(self) -> str:
        """As OpenAI calls it."""
        raise NotImplementedError

    def finish(self, event: Done) -> str:
        """Why it ended."""
        if self.has_called and event.finish_reason == "stop":
            return "tool_calls"
        return "stop" if event.finish_reason == "cancelled" else event.finish_reason


class _Chat(_Spoken):
    kind = "chatcmpl"

    @property
    def kind_of_chunk(self) -> str:
        return "chat.completion.chunk"

    def begin(self) -> list[Json]:
        return [self.framed([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])]

    def delta(self, event: Delta) -> Json:
        said: Json = {}
        if event.text:
            said["content"] = event.text
        if event.reasoning:
            said["reasoning_content"] = event.reasoning
        if event.tool_calls:
            said["tool_calls"] = [_called(call, streamed=True) for call in event.tool_calls]
        choice: Json = {"index": 0, "delta": said, "finish_reason": None}
        if event.logprobs is not None:
            choice["logprobs"] = msgspec.Raw(event.logprobs.encode())
        return choice

    def last(self, event: Done) -> Json:
        return {"index": 0, "delta": {}, "finish_reason": self.finish(event)}

    def whole(self, events: list[Event]) -> Json:
        deltas = [event for event in events if isinstance(event, Delta)]
        done = done_of(events)
        calls = _joined([call for delta in deltas for call in delta.tool_calls])
        self.has_called = bool(calls)
        text = "".join(delta.text for delta in deltas)
        message: Json = {"role": "assistant", "content": text if text or not calls else None}
        if reasoning := "".join(delta.reasoning for delta in deltas):
            message["reasoning_content"] = reasoning
        if calls:
            message["tool_calls"] = [_called(call) for call in calls]
        choice: Json = {"index": 0, "message": message, "finish_reason": self.finish(done)}
        if (logprobs := _logprobs(deltas)) is not None:
            choice["logprobs"] = logprobs
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [choice],
            "usage": usage_of(done.usage),
        }


class _Completion(_Spoken):
    kind = "cmpl"

    @property
    def kind_of_chunk(self) -> str:
        return "text_completion"

    def delta(self, event: Delta) -> Json:
        choice: Json = {"index": 0, "text": event.text, "finish_reason": None}
        if event.logprobs is not None:
            choice["logprobs"] = msgspec.Raw(event.logprobs.encode())
        return choice

    def last(self, event: Done) -> Json:
        return {"index": 0, "text": "", "finish_reason": self.finish(event)}

    def whole(self, events: list[Event]) -> Json:
        deltas = [event for event in events if isinstance(event, Delta)]
        done = done_of(events)
        text = "".join(delta.text for delta in deltas)
        choice: Json = {"index": 0, "text": text, "finish_reason": self.finish(done), "logprobs": _logprobs(deltas)}
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.model,
            "choices": [choice],
            "usage": usage_of(done.usage),
        }


def done_of(events: list[Event]) -> Done:
    """The last of them."""
    return next((event for event in reversed(events) if isinstance(event, Done)), Done())


def usage_of(usage: Usage) -> Json:
    """In OpenAI's words."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


def joined_calls(calls: list[ToolCall]) -> list[ToolCall]:
    """Calls that came in pieces, whole."""
    return _joined(calls)


def _joined(calls: list[ToolCall]) -> list[ToolCall]:
    whole: dict[int, ToolCall] = {}
    for call in calls:
        before = whole.get(call.index)
        whole[call.index] = (
            call
            if before is None
            else ToolCall(
                index=call.index,
                id=before.id or call.id,
                name=before.name or call.name,
                arguments=before.arguments + call.arguments,
            )
        )
    return list(whole.values())


def _called(call: ToolCall, *, streamed: bool = False) -> Json:
    function: Json = {"arguments": call.arguments}
    if call.name is not None:
        function = {"name": call.name, **function}
    said: Json = {"type": "function", "function": function}
    if call.id is not None or not streamed:
        said = {"id": call.id or f"call_{call.index}", **said}
    return {"index": call.index, **said} if streamed else said


def _logprobs(deltas: list[Delta]) -> Json | None:
    told = [msgspec.json.decode(delta.logprobs) for delta in deltas if delta.logprobs is not None]
    if not told:
        return None
    return {"content": [token for one in told for token in one.get("content") or ()]}


def _embeddings(events: list[Event], model: str, *, is_packed: bool) -> Json:
    rows: list[Any] = []
    for event in events:
        if isinstance(event, Vectors):
            rows += rows_of(event, is_packed=is_packed)
    usage = done_of(events).usage
    return {
        "object": "list",
        "model": model,
        "data": [{"object": "embedding", "index": at, "embedding": row} for at, row in enumerate(rows)],
        "usage": {"prompt_tokens": usage.prompt_tokens, "total_tokens": usage.prompt_tokens},
    }


def rows_of(vectors: Vectors, *, is_packed: bool = False) -> list[Any]:
    """Each as numbers, or as base64 of F32."""
    width = vectors.dimensions * 4
    cut: list[bytes] = [vectors.data[at : at + width] for at in range(0, len(vectors.data), width)]
    read: Callable[[bytes], Any] = (
        (lambda row: base64.b64encode(row).decode())
        if is_packed
        else (lambda row: list(struct.unpack(f"<{vectors.dimensions}f", row)))
    )
    return [read(row) for row in cut]
