"""What the operator of a hub asks: what is held and why, and to hold or release a model by hand."""

from __future__ import annotations

import asyncio

from aiohttp import web

from weigh.app.mirror.shelf import walk
from weigh.serve.mirror.access import require_admin
from weigh.serve.mirror.answers import as_json
from weigh.serve.mirror.library import Library, Opened
from weigh.serve.mirror.refusal import Refusal


def routes(library: Library) -> list[web.RouteDef]:
    """For admin tokens alone, but for the first."""

    async def health(request: web.Request) -> web.Response:
        return as_json({"status": "ok"})

    async def models(request: web.Request) -> web.Response:
        require_admin(request)
        places = await asyncio.to_thread(lambda: list(walk(library.shelf, "models")))
        return as_json([await _told(library, place.id) for place in places])

    async def hold(request: web.Request) -> web.Response:
        return await _decided(request, held=True)

    async def release(request: web.Request) -> web.Response:
        return await _decided(request, held=False)

    async def _decided(request: web.Request, *, held: bool) -> web.Response:
        require_admin(request)
        opened = await library.open("models", f"{request.match_info['namespace']}/{request.match_info['name']}")
        judgement = await library.decide(opened.snapshot, held=held)
        return as_json(_row(Opened(opened.snapshot, judgement)))

    return [
        web.get("/health", health),
        web.get("/weigh/models", models),
        web.post("/weigh/models/{namespace}/{name}/hold", hold),
        web.post("/weigh/models/{namespace}/{name}/release", release),
    ]


async def _told(library: Library, id: str) -> dict[str, object]:
    try:
        return _row(await library.open("models", id))
    except Refusal as refusal:
        return {"id": id, "status": refusal.status}


def _row(opened: Opened) -> dict[str, object]:
    snapshot, judgement = opened
    return {
        "id": snapshot.place.id,
        "commit": snapshot.commit,
        "verdict": judgement.verdict,
        "is_held": judgement.is_held,
        "by": judgement.by,
        "reasons": [{"rule": reason.rule, "path": reason.path} for reason in judgement.reasons],
    }
