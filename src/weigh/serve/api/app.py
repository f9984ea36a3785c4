"""The server of models as an ASGI application."""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from weigh.core.saying import Saying
from weigh.serve.api import (
    anthropic_text,
    images,
    ollama,
    openai_text,
    plain,
    rerank,
    responses,
    seeing,
    sounds,
    videos,
)
from weigh.serve.api.doors import Door
from weigh.serve.api.log import Logged
from weigh.serve.api.openapi import document
from weigh.serve.api.pool import Pool
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.serving import Outside, Serving
from weigh.serve.api.settings import Settings
from weigh.serve.api.tell import as_json, refused
from weigh.text import Language
from weigh.text.document import to_json

TEXT = "text/plain"
OPEN = ("/", "/health")  # what answers without a key
FAMILIES = (
    openai_text.routes,
    responses.routes,
    rerank.routes,
    anthropic_text.routes,
    ollama.routes,
    images.routes,
    sounds.routes,
    videos.routes,
    seeing.routes,
    plain.routes,
)


def create(pool: Pool, settings: Settings, language: Language, outside: Outside) -> Starlette:
    """Routes of every family over one pool; models are let go when it stops."""
    serving = Serving(pool, settings, language, outside)
    routes = [*(route for family in FAMILIES for route in family(serving)), *_own(serving)]  # as often as asked for
    routes.append(_described(routes))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        await pool.open()
        try:
            yield
        finally:
            await asyncio.gather(*(close() for close in serving.closes))
            await pool.close()

    async def on_refusal(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return refused(error, language, request.url.path)

    async def not_found(request: Request, error: Exception) -> Response:
        return refused(
            Refusal(404, "not_found", Saying("refusal.route", path=request.url.path)), language, request.url.path
        )

    async def wrong_method(request: Request, error: Exception) -> Response:
        refusal = Refusal(405, "method_not_allowed", Saying("refusal.method", method=request.method))
        answer = refused(refusal, language, request.url.path)
        answer.headers["Allow"] = ", ".join(sorted(_methods(routes, request.url.path)))
        return answer

    async def failed(request: Request, error: Exception) -> Response:
        return refused(Refusal(500, "internal", Saying("refusal.internal")), language, request.url.path)

    app = Starlette(
        routes=routes,
        middleware=_middleware(settings, language, outside),
        exception_handlers={Refusal: on_refusal, 404: not_found, 405: wrong_method, 500: failed},
        lifespan=lifespan,
    )
    app.state.stall_seconds = settings.stall_seconds
    return app


def _methods(routes: list[Route], path: str) -> set[str]:
    alike = [route for route in routes if route.path_regex.fullmatch(path)]
    return {method for route in alike for method in route.methods or ()}


def _own(serving: Serving) -> list[Route]:
    async def root(request: Request) -> Response:
        return Response("weigh is running\n", media_type="text/plain")

    async def health(request: Request) -> Response:
        loaded = [name for name, slot in serving.pool.slots.items() if slot.running is not None]
        status = "draining" if serving.pool.is_draining else "ok"
        return as_json({"status": status, "models": len(serving.pool.slots), "loaded": loaded})

    async def metrics(request: Request) -> Response:
        return Response(serving.metrics.page(), media_type="text/plain; version=0.0.4")

    async def weigh(request: Request) -> Response:
        reference = request.query_params.get("reference", "")
        if not reference:
            raise Refusal(400, "invalid_request", Saying("refusal.empty", what="reference"))
        if os.path.lexists(reference) and not _is_among_friends(serving.settings):
            raise Refusal(403, "not_allowed", Saying("refusal.path"))
        report = await serving.weigh(reference)
        return Response(to_json(report, serving.language), media_type="application/json")

    return [
        Door("/", root).says(TEXT),
        Door("/health", health),
        Door("/metrics", metrics).says(TEXT),
        Door("/v1/weigh", weigh),
    ]


def _described(routes: list[Route]) -> Route:
    made: list[bytes] = []

    async def describe(request: Request) -> Response:
        if not made:
            made.append(msgspec.json.encode(document(routes)))
        return Response(made[0], media_type="application/json")

    return Door("/openapi.json", describe)


def _middleware(settings: Settings, language: Language, outside: Outside) -> list[Middleware]:
    found = [Middleware(Logged, write=outside.write, span=outside.span)]
    if settings.cors_origins:
        origins = list(settings.cors_origins)
        found.append(Middleware(CORSMiddleware, allow_origins=origins, allow_methods=["*"], allow_headers=["*"]))
    if settings.api_keys:
        found.append(Middleware(Keys, keys=settings.api_keys, language=language))
    return found


class Keys:
    """Lets through who knows one of the keys, as a bearer token or as x-api-key."""

    def __init__(self, app: ASGIApp, *, keys: tuple[str, ...], language: Language) -> None:
        self._app = app
        self._keys = tuple(key.encode() for key in keys)
        self._language: Language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Compared in constant time."""
        if scope["type"] != "http" or scope["path"] in OPEN or self._knows(dict(scope["headers"])):
            await self._app(scope, receive, send)
            return
        refusal = Refusal(401, "invalid_api_key", Saying("refusal.key"))
        await refused(refusal, self._language, scope["path"])(scope, receive, send)

    def _knows(self, headers: dict[bytes, bytes]) -> bool:
        scheme, _, token = headers.get(b"authorization", b"").strip().partition(b" ")
        bearer = token.strip() if scheme.lower() == b"bearer" else b""
        given = bearer or headers.get(b"x-api-key", b"")
        return any([hmac.compare_digest(given, key) for key in self._keys])


def _is_among_friends(settings: Settings) -> bool:
    """Whoever asks sits at this machine, or has a key: others learn nothing of the files here."""
    return bool(settings.api_keys) or (settings.host or "127.0.0.1") in ("127.0.0.1", "::1", "localhost")
