"""OpenAI's routes for sound: speech from text, text from speech; and ours for music and noises."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weigh.core.saying import Saying
from weigh.core.work import Event, Job, MakeSound, Media, Segment, Speak, Transcribe
from weigh.serve.api.doors import Door
from weigh.serve.api.forms import form_of
from weigh.serve.api.images import Steps
from weigh.serve.api.openai_shapes import Seed
from weigh.serve.api.recoded import MIMES, SoundFormat, recoded
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.serving import Serving, body_of
from weigh.serve.api.tell import as_json
from weigh.text.answers import srt, vtt

Json = dict[str, Any]
# Source: https://platform.openai.com/docs/guides/text-to-speech
_NOT_OURS = (
    *("default", "alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx", "sage"),
    *("shimmer", "verse"),
)


class SpeechRequest(msgspec.Struct, kw_only=True):
    """POST /v1/audio/speech. Without a format asked for it is WAV, as the model made it."""

    input: str
    model: str | None = None
    voice: str | dict[str, str] | None = None
    response_format: SoundFormat = "wav"
    speed: Annotated[float, Meta(ge=0.25, le=4)] | None = None
    seed: Seed | None = None


class SoundRequest(msgspec.Struct, kw_only=True):
    """POST /v1/audio/generations: music or a sound from words."""

    prompt: Annotated[str, Meta(min_length=1)]
    model: str | None = None
    negative_prompt: str | None = None
    seconds: Annotated[float, Meta(gt=0, le=3600)] | None = None
    steps: Steps | None = None
    guidance_scale: float | None = None
    seed: Seed | None = None
    response_format: SoundFormat = "wav"


class TranscriptionRequest(msgspec.Struct, kw_only=True):
    """POST /v1/audio/transcriptions, and /v1/audio/translations into English."""

    file: bytes
    model: str | None = None
    language: str | None = None
    prompt: str | None = None
    response_format: Literal["json", "text", "srt", "vtt", "verbose_json"] = "json"
    temperature: float | None = None


def routes(serving: Serving) -> list[Route]:
    """Each with the server it belongs to."""

    async def speak(request: Request) -> Response:
        asked = await body_of(request, SpeechRequest, serving.settings.body_bytes)
        if not asked.input.strip():
            raise Refusal(400, "invalid_request", Saying("refusal.empty", what="input"))
        job = Speak(text=asked.input, voice=_voice(asked.voice), speed=asked.speed, seed=asked.seed)
        return await _sound(serving, request, serving.name_of(asked.model), job, asked.response_format)

    async def sound(request: Request) -> Response:
        asked = await body_of(request, SoundRequest, serving.settings.body_bytes)
        job = MakeSound(
            prompt=asked.prompt,
            negative=asked.negative_prompt,
            seconds=asked.seconds,
            steps=asked.steps,
            guidance=asked.guidance_scale,
            seed=asked.seed,
        )
        return await _sound(serving, request, serving.name_of(asked.model), job, asked.response_format)

    async def transcribe(request: Request) -> Response:
        asked = await form_of(request, TranscriptionRequest, serving.settings.body_bytes)
        translate = request.url.path.endswith("translations")
        job = Transcribe(audio=asked.file, language=asked.language, prompt=asked.prompt, translate=translate)
        events = await serving.whole(request, serving.name_of(asked.model), job)
        return _told(events, asked.response_format, task="translate" if translate else "transcribe")

    return [
        Door("/v1/audio/speech", speak, SpeechRequest).says(*MIMES.values()),
        Door("/v1/audio/generations", sound, SoundRequest).says(*MIMES.values()),
        Door("/v1/audio/transcriptions", transcribe, TranscriptionRequest, is_form=True),
        Door("/v1/audio/translations", transcribe, TranscriptionRequest, is_form=True),
    ]


def _voice(said: str | dict[str, str] | None) -> str | None:
    """OpenAI's clients must name one; `default`, and the names of OpenAI's own voices, leave it to the model."""
    name = said.get("id") if isinstance(said, dict) else said
    return None if name in _NOT_OURS else name


async def _sound(serving: Serving, request: Request, model: str, job: Job, form: SoundFormat) -> Response:
    events = await serving.whole(request, model, job)
    made = next((event for event in events if isinstance(event, Media)), None)
    if made is None:
        raise Refusal(500, "failed", Saying("refusal.no_media"))
    data = made.data if form == "wav" else await asyncio.to_thread(recoded, made.data, form)
    headers = {"X-Seed": str(made.seed)} if made.seed is not None else None
    return Response(data, media_type=MIMES[form], headers=headers)


def _told(events: list[Event], form: str, *, task: str) -> Response:
    segments = [event for event in events if isinstance(event, Segment)]
    text = "".join(segment.text for segment in segments).strip()
    match form:
        case "text":
            return Response(text + "\n", media_type="text/plain")
        case "srt":
            return Response(srt(segments), media_type="application/x-subrip")
        case "vtt":
            return Response(vtt(segments), media_type="text/vtt")
        case "verbose_json":
            return as_json(_verbose(segments, text, task))
        case _:
            return as_json({"text": text})


def _verbose(segments: list[Segment], text: str, task: str) -> Json:
    ends = [segment.end for segment in segments if segment.end is not None]
    return {
        "task": task,
        "language": next((segment.language for segment in segments if segment.language), ""),
        "duration": max(ends, default=0.0),
        "text": text,
        "segments": [
            {"id": at, "start": segment.start or 0.0, "end": segment.end or segment.start or 0.0, "text": segment.text}
            for at, segment in enumerate(segments)
        ],
    }
