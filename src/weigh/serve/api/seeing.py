"""Our routes for what is in a picture, a text or a sound: classify, detect, depth."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weigh.core.saying import Saying
from weigh.core.work import Classify, Depth, Detect, Event, Labels, Media, Piece
from weigh.serve.api.doors import Door
from weigh.serve.api.openai_shapes import bytes_of
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.serving import Serving, body_of
from weigh.serve.api.tell import as_json

Json = dict[str, Any]


class ClassifyRequest(msgspec.Struct, kw_only=True):
    """Exactly one of `text`, `image` and `audio`; files as data:...;base64,... URLs."""

    model: str | None = None
    text: str | None = None
    image: str | None = None
    audio: str | None = None
    labels: list[str] = []
    top: int = 5


class DetectRequest(msgspec.Struct, kw_only=True):
    """`image` as a data:...;base64,... URL."""

    image: str
    model: str | None = None
    labels: list[str] = []
    threshold: float = 0.5


class DepthRequest(msgspec.Struct, kw_only=True):
    """`image` as a data:...;base64,... URL; the answer is a PNG of 16 bits, near is bright."""

    image: str
    model: str | None = None


def routes(serving: Serving) -> list[Route]:
    """Each with the server it belongs to."""
    most = serving.settings.body_bytes

    async def classify(request: Request) -> Response:
        asked = await body_of(request, ClassifyRequest, most)
        name = serving.name_of(asked.model)
        job = Classify(piece=_piece(asked), labels=tuple(asked.labels), top=asked.top)
        return as_json({"model": name, "labels": _labels(await serving.whole(request, name, job))})

    async def detect(request: Request) -> Response:
        asked = await body_of(request, DetectRequest, most)
        name = serving.name_of(asked.model)
        job = Detect(image=bytes_of(asked.image), labels=tuple(asked.labels), threshold=asked.threshold)
        return as_json({"model": name, "labels": _labels(await serving.whole(request, name, job))})

    async def depth(request: Request) -> Response:
        asked = await body_of(request, DepthRequest, most)
        events = await serving.whole(request, serving.name_of(asked.model), Depth(image=bytes_of(asked.image)))
        made = next((event for event in events if isinstance(event, Media)), None)
        if made is None:
            raise Refusal(500, "failed", Saying("refusal.no_media"))
        return Response(made.data, media_type=made.mime)

    return [
        Door("/v1/classify", classify, ClassifyRequest),
        Door("/v1/detect", detect, DetectRequest),
        Door("/v1/depth", depth, DepthRequest),
    ]


def _piece(asked: ClassifyRequest) -> Piece:
    given = [what for what in (asked.text, asked.image, asked.audio) if what is not None]
    if len(given) != 1:
        raise Refusal(400, "invalid_request", Saying("refusal.empty", what="text, image | audio"))
    image = bytes_of(asked.image) if asked.image is not None else None
    return Piece(text=asked.text, image=image, audio=bytes_of(asked.audio) if asked.audio is not None else None)


def _labels(events: list[Event]) -> list[Json]:
    """A box is left, top, right, bottom in pixels."""
    return [
        {"label": one.label, "score": one.score, **({"box": one.box} if one.box is not None else {})}
        for event in events
        if isinstance(event, Labels)
        for one in event.labels
    ]
