"""OpenAI's routes for text: chats, completions, embeddings, and the list of models."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weigh.core.saying import Saying
from weigh.core.work import Chat, Complete, Event, Vectors
from weigh.serve.api.doors import STREAMED, Door
from weigh.serve.api.openai_shapes import (
    ChatRequest,
    CompletionRequest,
    Drawn,
    EmbeddingRequest,
    chat_of,
    completes_of,
    embed_of,
    several,
)
from weigh.serve.api.openai_spoken import Spoken, SpokenChat, SpokenCompletion, done_of
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.serving import Serving, body_of
from weigh.serve.api.streams import SSE, streamed
from weigh.serve.api.tell import as_json

Json = dict[str, Any]


def routes(serving: Serving) -> list[Route]:
    """Each with the server it belongs to."""

    async def chat(request: Request) -> Response:
        asked = await body_of(request, ChatRequest, serving.settings.body_bytes)
        jobs, each = several(asked, [chat_of(asked)])
        spoken = SpokenChat(serving.name_of(asked.model), serving.language, with_usage=_with_usage(asked))
        spoken.expect(len(jobs), each)
        return await _answer(serving, request, jobs, spoken, stream=bool(asked.stream))

    async def complete(request: Request) -> Response:
        asked = await body_of(request, CompletionRequest, serving.settings.body_bytes)
        jobs, each = several(asked, completes_of(asked))
        spoken = SpokenCompletion(serving.name_of(asked.model), serving.language, with_usage=_with_usage(asked))
        spoken.expect(len(jobs), each)
        return await _answer(serving, request, jobs, spoken, stream=bool(asked.stream))

    async def embed(request: Request) -> Response:
        asked = await body_of(request, EmbeddingRequest, serving.settings.body_bytes)
        name = serving.name_of(asked.model)
        events = await serving.whole(request, name, embed_of(asked))
        _check_width(events, asked.dimensions)
        return as_json(_embeddings(events, name, is_packed=asked.encoding_format == "base64"))

    async def models(request: Request) -> Response:
        listed = [_model(serving, name) for name in serving.pool.slots]
        ends = {"first_id": listed[0]["id"], "last_id": listed[-1]["id"]} if listed else {}
        return as_json({"object": "list", "data": listed, "has_more": False, **ends})  # as Anthropic's clients read it

    async def model(request: Request) -> Response:
        return as_json(_model(serving, serving.name_of(request.path_params["name"])))

    return [
        Door("/v1/chat/completions", chat, ChatRequest).says(*STREAMED),
        Door("/v1/completions", complete, CompletionRequest).says(*STREAMED),
        Door("/v1/embeddings", embed, EmbeddingRequest),
        Door("/v1/models", models),
        Door("/v1/models/{name:path}", model),
    ]


def _model(serving: Serving, name: str) -> Json:
    slot = serving.pool.slots[name]
    return {
        "id": name,
        "object": "model",
        "created": serving.started,
        "owned_by": "weigh",
        "type": "model",
        "display_name": name,
        "created_at": datetime.fromtimestamp(serving.started, UTC).isoformat(),
        "loaded": slot.running is not None,
        "context_length": slot.running.ready.context_length if slot.running is not None else None,
    }


def _with_usage(asked: Drawn) -> bool:
    return bool(asked.stream_options and asked.stream_options.include_usage)


async def _answer(
    serving: Serving, request: Request, jobs: Sequence[Chat | Complete], spoken: Spoken, *, stream: bool
) -> Response:
    job = jobs[0] if len(jobs) == 1 else jobs
    if stream:
        return await streamed(serving, request, (spoken.model, job), spoken, SSE)
    return as_json(spoken.whole(await serving.whole(request, spoken.model, job)))


def _check_width(events: list[Event], wanted: int | None) -> None:
    """Raises Refusal where the model has fewer dimensions than were asked for."""
    made = next((event.dimensions for event in events if isinstance(event, Vectors)), wanted)
    if wanted is not None and made is not None and made != wanted:
        raise Refusal(400, "invalid_request", Saying("refusal.dimensions", most=made), param="dimensions")


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
