"""Documents put in the order in which they answer a query, in the shapes of Cohere and of Jina."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weigh.core.saying import Saying
from weigh.core.work import Event, Rerank, Scores
from weigh.serve.api.doors import Door
from weigh.serve.api.openai_shapes import Number
from weigh.serve.api.openai_spoken import done_of
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.serving import Serving, body_of
from weigh.serve.api.tell import as_json

Json = dict[str, Any]
MOST_DOCUMENTS = 2048


class RerankRequest(msgspec.Struct, kw_only=True):
    """A document is a text, or an object whose `text` is ranked, or its `rank_fields` one after another."""

    query: Annotated[str, Meta(min_length=1)]
    documents: list[str | dict[str, Any]]
    model: str | None = None
    top_n: Number | None = None
    return_documents: bool | None = None
    rank_fields: list[str] | None = None


def routes(serving: Serving) -> list[Route]:
    """The same under the path of each family."""

    async def rank(request: Request) -> Response:
        asked = await body_of(request, RerankRequest, serving.settings.body_bytes)
        name = serving.name_of(asked.model)
        texts = [_text(document, asked.rank_fields) for document in asked.documents]
        if not texts or len(texts) > MOST_DOCUMENTS:
            raise Refusal(400, "invalid_request", Saying("refusal.number", number=len(texts), most=MOST_DOCUMENTS))
        events = await serving.whole(request, name, Rerank(query=asked.query, documents=tuple(texts)))
        return as_json(_ranked(events, name, asked, texts))

    return [Door(path, rank, RerankRequest) for path in ("/v1/rerank", "/v2/rerank", "/rerank")]


def _text(document: str | dict[str, Any], fields: Sequence[str] | None) -> str:
    if isinstance(document, str):
        return document
    found = [str(document[field]) for field in fields or ("text",) if field in document]
    if not found:
        raise Refusal(400, "invalid_request", Saying("refusal.empty", what="text"))
    return "\n".join(found)


def _ranked(events: list[Event], model: str, asked: RerankRequest, texts: list[str]) -> Json:
    """The best first. Cohere reads `meta`, Jina `usage`."""
    scores = [score for event in events if isinstance(event, Scores) for score in event.scores]
    order = sorted(range(len(scores)), key=lambda at: -scores[at])[: asked.top_n]
    tokens = done_of(events).usage.prompt_tokens
    results: list[Json] = [{"index": at, "relevance_score": scores[at]} for at in order]
    if asked.return_documents:
        results = [{**row, "document": {"text": texts[row["index"]]}} for row in results]
    return {
        "id": secrets.token_hex(12),
        "object": "list",
        "model": model,
        "results": results,
        "meta": {"api_version": {"version": "2"}, "tokens": {"input_tokens": tokens}},
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
