"""Ollama's routes, so that its clients work: chats, texts, vectors, and what there is."""

from __future__ import annotations

import datetime
import importlib.metadata
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weigh.core.units import in_parameters
from weigh.core.work import Event, Job, Vectors, Work
from weigh.serve.api.doors import Door
from weigh.serve.api.ollama_shapes import (
    Asked,
    ChatAsked,
    EmbedAsked,
    GenerateAsked,
    ShowAsked,
    chat_of,
    embed_of,
    generate_of,
    seconds_of,
)
from weigh.serve.api.ollama_spoken import SpokenLine, now
from weigh.serve.api.openai_spoken import done_of
from weigh.serve.api.openai_text import rows_of
from weigh.serve.api.pool import Slot
from weigh.serve.api.serving import Serving, body_of
from weigh.serve.api.streams import NDJSON, streamed
from weigh.serve.api.tell import as_json

Json = dict[str, Any]
_CAN: tuple[tuple[Work, str], ...] = (("chat", "completion"), ("complete", "insert"), ("embed", "embedding"))


def routes(serving: Serving) -> list[Route]:
    """Texts stream unless told not to."""

    async def chat(request: Request) -> Response:
        asked = await body_of(request, ChatAsked, serving.settings.body_bytes)
        job = chat_of(asked) if asked.messages else None
        return await _say(serving, request, asked, job, is_chat=True)

    async def generate(request: Request) -> Response:
        asked = await body_of(request, GenerateAsked, serving.settings.body_bytes)
        return await _say(serving, request, asked, generate_of(asked) if asked.prompt else None, is_chat=False)

    async def embed(request: Request) -> Response:
        asked = await body_of(request, EmbedAsked, serving.settings.body_bytes)
        name = serving.name_of(asked.model or asked.name)
        started = time.monotonic_ns()
        events = await serving.whole(request, name, embed_of(asked))
        await _keep(serving, name, asked)
        if request.url.path.endswith("embeddings"):
            return as_json({"embedding": _rows(events)[0]})
        return as_json(_embedded(name, events, time.monotonic_ns() - started))

    return [
        Door("/api/chat", chat, ChatAsked).says(NDJSON),
        Door("/api/generate", generate, GenerateAsked).says(NDJSON),
        Door("/api/embed", embed, EmbedAsked),
        Door("/api/embeddings", embed, EmbedAsked),
        *_lists(serving),
    ]


def _lists(serving: Serving) -> list[Route]:
    async def tags(request: Request) -> Response:
        return as_json({"models": [_listed(serving, slot) for slot in serving.pool.slots.values()]})

    async def loaded(request: Request) -> Response:
        slots = [slot for slot in serving.pool.slots.values() if slot.is_loaded]
        return as_json({"models": [{**_listed(serving, slot), **_held(slot)} for slot in slots]})

    async def show(request: Request) -> Response:
        asked = await body_of(request, ShowAsked, serving.settings.body_bytes)
        return as_json(_shown(serving, serving.pool.slots[serving.name_of(asked.model or asked.name)]))

    async def version(request: Request) -> Response:
        return as_json({"version": importlib.metadata.version("weigh")})

    return [
        Door("/api/tags", tags),
        Door("/api/ps", loaded),
        Door("/api/show", show, ShowAsked),
        Door("/api/version", version),
    ]


async def _say(serving: Serving, request: Request, asked: Asked, job: Job | None, *, is_chat: bool) -> Response:
    name = serving.name_of(asked.model or asked.name)
    await _keep(serving, name, asked, is_before=job is not None)
    if job is None:
        return as_json(await _only_loaded(serving, name, asked, is_chat=is_chat))
    line = SpokenLine(name, serving.language, is_chat=is_chat)
    if asked.stream is None or asked.stream:
        return await streamed(serving, request, (name, job), line, NDJSON)
    return as_json(line.whole(await serving.whole(request, name, job)))


async def _keep(serving: Serving, name: str, asked: Asked, *, is_before: bool = False) -> None:
    """As the request wants it. Before a job, nothing is let go: that follows when it is over."""
    if asked.keep_alive is None:
        return
    seconds = seconds_of(asked.keep_alive)
    await serving.pool.keep(name, max(seconds, 0.01) if seconds is not None and is_before else seconds)


async def _only_loaded(serving: Serving, name: str, asked: Asked, *, is_chat: bool) -> Json:
    """No text: it is loaded, or with keep_alive of 0 let go."""
    is_going = asked.keep_alive is not None and seconds_of(asked.keep_alive) == 0
    if not is_going:
        async with serving.pool.use(name):
            pass
    said: Json = {"message": {"role": "assistant", "content": ""}} if is_chat else {"response": ""}
    reason = "unload" if is_going else "load"
    return {"model": name, "created_at": now(), **said, "done": True, "done_reason": reason}


def _rows(events: list[Event]) -> list[Any]:
    return [row for event in events if isinstance(event, Vectors) for row in rows_of(event)]


def _embedded(model: str, events: list[Event], took: int) -> Json:
    count = done_of(events).usage.prompt_tokens
    times = {"total_duration": took, "load_duration": 0}
    return {"model": model, "embeddings": _rows(events), **times, "prompt_eval_count": count}


def _listed(serving: Serving, slot: Slot) -> Json:
    return {
        "name": slot.ware.name,
        "model": slot.ware.name,
        "modified_at": _time(serving.started),
        "size": slot.ware.about.nbytes or 0,
        "digest": slot.ware.about.digest or "",
        "details": _details(slot),
    }


def _details(slot: Slot) -> Json:
    about = slot.ware.about
    size = in_parameters(about.num_parameters).replace(" ", "") if about.num_parameters is not None else ""
    return {
        "parent_model": "",
        "format": about.format or "",
        "family": about.architecture or "",
        "families": [about.architecture] if about.architecture else [],
        "parameter_size": size,
        "quantization_level": about.quantisation or "",
    }


def _held(slot: Slot) -> Json:
    running, idle = slot.running, slot.idle_seconds
    until = _time(slot.until) if idle is not None else "9999-12-31T00:00:00Z"
    length = running.ready.context_length if running is not None else None
    return {"expires_at": until, "size": slot.ware.nbytes, "size_vram": 0, "context_length": length or 0}


def _shown(serving: Serving, slot: Slot) -> Json:
    about = slot.ware.about
    name = about.architecture or about.format or ""
    info: Json = {"general.architecture": name, "general.parameter_count": about.num_parameters}
    if about.context_length is not None:
        info[f"{name}.context_length"] = about.context_length
    can = [word for work, word in _CAN if work in about.works]
    return {
        "modelfile": "",
        "parameters": "",
        "license": about.licence or "",
        "template": about.chat_template or "",
        "modified_at": _time(serving.started),
        "details": _details(slot),
        "model_info": {key: value for key, value in info.items() if value is not None},
        "capabilities": [*can, *(["tools"] if "tools" in (about.chat_template or "") else [])],
    }


def _time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat().replace("+00:00", "Z")
