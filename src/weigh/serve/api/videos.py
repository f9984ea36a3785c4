"""OpenAI's routes for videos: a job is created, looked at, fetched, deleted."""

from __future__ import annotations

import os
import time
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from weigh.core.saying import Saying
from weigh.core.work import MakeVideo
from weigh.serve.api.doors import Door
from weigh.serve.api.films import Film, Films, new_id
from weigh.serve.api.forms import form_of
from weigh.serve.api.images import Steps, size_of
from weigh.serve.api.openai_shapes import Seed
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.serving import Serving, body_of
from weigh.serve.api.tell import as_json

Json = dict[str, Any]
FPS = 16
MOST_FRAMES = 2000
MOST_LISTED = 100


class VideoRequest(msgspec.Struct, kw_only=True):
    """POST /v1/videos, as JSON or as a form. `frames`, `fps`, `steps`, `guidance_scale`, `negative_prompt`, `seed`:
    ours. `input_reference` is the first picture, in a form.
    """

    prompt: Annotated[str, Meta(min_length=1)]
    model: str | None = None
    seconds: str | float | None = None
    size: str | None = None
    input_reference: bytes | None = None
    negative_prompt: str | None = None
    frames: int | None = None
    fps: Annotated[int, Meta(ge=1, le=240)] | None = None
    steps: Steps | None = None
    guidance_scale: float | None = None
    seed: Seed | None = None


def routes(serving: Serving) -> list[Route]:
    """Each with the server it belongs to."""
    films = Films(serving)
    serving.closes.append(films.close)

    async def create(request: Request) -> Response:
        is_form = request.headers.get("content-type", "").startswith("multipart/")
        take = form_of if is_form else body_of
        asked = await take(request, VideoRequest, serving.settings.body_bytes)
        job = video_of(asked)
        serving.check_work(serving.name_of(asked.model), job)
        seconds = str(asked.seconds) if asked.seconds is not None else None
        film = Film(
            id=new_id(),
            model=serving.name_of(asked.model),
            prompt=asked.prompt,
            created_at=int(time.time()),
            seconds=seconds,
            size=asked.size,
        )
        films.folder()
        films.begin(film, job)
        return as_json(film)

    async def listed(request: Request) -> Response:
        films.folder()
        return as_json(_listed(list(films.all.values()), request))

    return [
        Door("/v1/videos", create, VideoRequest, is_form=True),
        Door("/v1/videos", listed),
        *_one(films),
    ]


def _one(films: Films) -> list[Route]:
    def found(request: Request) -> Film:
        films.folder()
        film = films.all.get(request.path_params["id"])
        if film is None:
            raise Refusal(404, "not_found", Saying("refusal.film", id=request.path_params["id"]))
        return film

    async def show(request: Request) -> Response:
        return as_json(found(request))

    async def content(request: Request) -> Response:
        film = found(request)
        if film.status != "completed" or not os.path.exists(films.path(film)):
            raise Refusal(409, "not_ready", Saying("refusal.film_status", id=film.id, status=film.status))
        return FileResponse(films.path(film), media_type="video/mp4")

    async def delete(request: Request) -> Response:
        film = found(request)
        await films.drop(film)
        return as_json({"id": film.id, "object": "video.deleted", "deleted": True})

    return [
        Door("/v1/videos/{id}", show),
        Door("/v1/videos/{id}", delete, methods=["DELETE"]),
        Door("/v1/videos/{id}/content", content).says("video/mp4"),
    ]


def video_of(asked: VideoRequest) -> MakeVideo:
    """Raises Refusal for a length or a size that cannot be."""
    width, height = size_of(asked.size)
    frames = asked.frames
    if frames is None and asked.seconds is not None:
        frames = max(int(_number(asked.seconds) * (asked.fps or FPS)), 1)
    if frames is not None and not 1 <= frames <= MOST_FRAMES:
        raise Refusal(400, "invalid_request", Saying("refusal.frames", frames=frames, most=MOST_FRAMES))
    return MakeVideo(
        prompt=asked.prompt,
        negative=asked.negative_prompt,
        width=width,
        height=height,
        frames=frames,
        fps=asked.fps,
        steps=asked.steps,
        guidance=asked.guidance_scale,
        seed=asked.seed,
        image=asked.input_reference,
    )


def _number(said: str | float) -> float:
    try:
        number = float(said)
    except ValueError:
        number = -1.0
    if not 0 < number < MOST_FRAMES:
        raise Refusal(400, "invalid_request", Saying("refusal.empty", what="seconds"))
    return number


def _listed(films: list[Film], request: Request) -> Json:
    """The newest first, unless asked otherwise; from behind `after` on."""
    asked = request.query_params
    ordered = films if asked.get("order") == "asc" else films[::-1]
    ids = [film.id for film in ordered]
    start = ids.index(asked["after"]) + 1 if asked.get("after") in ids else 0
    limit = int(asked.get("limit", "20")) if asked.get("limit", "20").isdigit() else 20
    page = ordered[start : start + min(limit, MOST_LISTED)]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0].id if page else None,
        "last_id": page[-1].id if page else None,
        "has_more": start + len(page) < len(ordered),
    }
