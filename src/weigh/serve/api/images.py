"""OpenAI's routes for pictures: from words, from a picture, and within a mask."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weigh.core.saying import Saying
from weigh.core.work import Event, MakeImage, Media, Progress
from weigh.serve.api.doors import Door
from weigh.serve.api.forms import form_of
from weigh.serve.api.openai_shapes import Seed, Share
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.serving import Serving, body_of
from weigh.serve.api.streams import SSE, streamed
from weigh.serve.api.tell import as_json, openai_error
from weigh.text import Language

Json = dict[str, Any]
MOST_SIDE, MOST_COUNT = 4096, 10
Steps = Annotated[int, Meta(ge=1, le=1000)]
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")


class Drawing(msgspec.Struct, kw_only=True):
    """What both share; `negative_prompt`, `steps`, `guidance_scale` and `seed` are ours."""

    prompt: Annotated[str, Meta(min_length=1)]
    model: str | None = None
    n: int | None = None
    size: str | None = None
    response_format: Literal["b64_json", "url"] | None = None
    output_format: Literal["png"] | None = None
    stream: bool | None = None
    negative_prompt: str | None = None
    steps: Steps | None = None
    guidance_scale: float | None = None
    seed: Seed | None = None


class ImageRequest(Drawing, kw_only=True):
    """POST /v1/images/generations."""


class EditRequest(Drawing, kw_only=True):
    """POST /v1/images/edits. `strength` from 0, nothing changes, to 1. The mask is white where it is drawn anew."""

    image: bytes | list[bytes]
    mask: bytes | None = None
    strength: Share | None = None


def routes(serving: Serving) -> list[Route]:
    """Each with the server it belongs to."""

    async def generate(request: Request) -> Response:
        return await _draw(serving, request, await body_of(request, ImageRequest, serving.settings.body_bytes))

    async def edit(request: Request) -> Response:
        return await _draw(serving, request, await form_of(request, EditRequest, serving.settings.body_bytes))

    return [
        Door("/v1/images/generations", generate, ImageRequest),
        Door("/v1/images/edits", edit, EditRequest, is_form=True),
    ]


async def _draw(serving: Serving, request: Request, asked: ImageRequest | EditRequest) -> Response:
    name, job = serving.name_of(asked.model), image_of(asked)
    if asked.stream:
        return await streamed(serving, request, (name, job), SpokenImage(serving.language), SSE)
    events = await serving.whole(request, name, job)
    made = [_made(event, as_url=asked.response_format == "url") for event in events if isinstance(event, Media)]
    return as_json({"created": int(time.time()), "output_format": "png", "data": made})


def image_of(asked: ImageRequest | EditRequest) -> MakeImage:
    """Raises Refusal for a size or a number that cannot be."""
    width, height = size_of(asked.size)
    count = asked.n if asked.n is not None else 1
    if not 1 <= count <= MOST_COUNT:
        raise Refusal(400, "invalid_request", Saying("refusal.number", number=count, most=MOST_COUNT))
    job = MakeImage(
        prompt=asked.prompt,
        negative=asked.negative_prompt,
        width=width,
        height=height,
        steps=asked.steps,
        guidance=asked.guidance_scale,
        seed=asked.seed,
        count=count,
    )
    if isinstance(asked, ImageRequest):
        return job
    image = asked.image if isinstance(asked.image, bytes) else next(iter(asked.image), None)
    return msgspec.structs.replace(job, image=image, mask=asked.mask, strength=asked.strength)


def size_of(said: str | None) -> tuple[int | None, int | None]:
    """Of "512x768"; None where it is left to the model. Raises Refusal.

    >>> size_of("512x768"), size_of("auto")
    ((512, 768), (None, None))
    """
    if said is None or said == "auto":
        return None, None
    found = _SIZE.fullmatch(said)
    if found is None or not all(1 <= int(side) <= MOST_SIDE for side in found.groups()):
        raise Refusal(400, "invalid_request", Saying("refusal.size", size=said, most=MOST_SIDE))
    return int(found[1]), int(found[2])


def _made(media: Media, *, as_url: bool = False) -> Json:
    """As base64 always: nothing is kept, and a URL holds it too."""
    data = base64.b64encode(media.data).decode()
    made: Json = {"url": f"data:{media.mime};base64,{data}"} if as_url else {"b64_json": data}
    return made if media.seed is None else {**made, "seed": media.seed}


class SpokenImage:
    """A Teller: progress step by step, then each picture."""

    def __init__(self, language: Language) -> None:
        self._language: Language = language

    def begin(self) -> Iterable[bytes]:
        """Nothing."""
        return ()

    def tell(self, event: Event) -> Iterable[bytes]:
        """`image_generation.progress` is ours, `image_generation.completed` OpenAI's."""
        if isinstance(event, Progress):
            yield _event("image_generation.progress", done=event.done, number=event.number)
        elif isinstance(event, Media):
            yield _event("image_generation.completed", created_at=int(time.time()), output_format="png", **_made(event))

    def fail(self, refusal: Refusal) -> Iterable[bytes]:
        """The event `error`."""
        yield _event("error", **openai_error(refusal, self._language))


def _event(kind: str, **said: object) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + msgspec.json.encode({"type": kind, **said}) + b"\n\n"
