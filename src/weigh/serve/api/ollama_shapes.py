"""Requests in Ollama's shapes, and the jobs they stand for."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from weigh.core.saying import Saying
from weigh.core.work import Chat, Complete, Embed, Message, Piece, Sampling, ToolCall
from weigh.serve.api.openai_shapes import (
    MOST_PIECES,
    MOST_TOKENS,
    Declared,
    Number,
    Seed,
    Share,
    tool_of,
    unpacked,
)
from weigh.serve.api.refusal import Refusal

Keep = str | float | None
_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Options(msgspec.Struct):
    """How the next token is drawn. `num_ctx` is not looked at: what does not fit is an error, never cut."""

    num_predict: Annotated[int, Meta(ge=-2, le=MOST_TOKENS)] | None = None
    temperature: Annotated[float, Meta(ge=0)] | None = None
    top_k: int | None = None
    top_p: Share | None = None
    min_p: Share | None = None
    seed: Seed | None = None
    stop: str | list[str] | None = None
    repeat_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


class _Function(msgspec.Struct):
    name: str
    arguments: dict[str, Any] = {}


class _Called(msgspec.Struct):
    function: _Function
    id: str | None = None


class Turn(msgspec.Struct):
    """One message."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    images: list[str] | None = None
    tool_calls: list[_Called] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class Asked(msgspec.Struct, kw_only=True):
    """What all requests share; `name` is how it was called once."""

    model: str | None = None
    name: str | None = None
    stream: bool | None = None
    options: Options | None = None
    keep_alive: Keep = None
    format: Literal["json", ""] | dict[str, Any] | None = None
    think: bool | str | None = None


class ChatAsked(Asked, kw_only=True):
    """POST /api/chat."""

    messages: list[Turn] = []
    tools: list[Declared] | None = None


class GenerateAsked(Asked, kw_only=True):
    """POST /api/generate."""

    prompt: str | None = None
    suffix: str | None = None
    system: str | None = None
    images: list[str] | None = None
    raw: bool | None = None


class EmbedAsked(Asked, kw_only=True):
    """POST /api/embed; `prompt` is that of /api/embeddings."""

    input: str | list[str] | None = None
    prompt: str | None = None
    dimensions: Number | None = None


class ShowAsked(msgspec.Struct, kw_only=True):
    """POST /api/show."""

    model: str | None = None
    name: str | None = None


def chat_of(asked: ChatAsked) -> Chat:
    """Raises Refusal."""
    return Chat(
        messages=tuple(map(_message, asked.messages)),
        tools=tuple(map(tool_of, asked.tools or ())),
        schema=_schema(asked.format),
        thinking=_thinking(asked.think),
        sampling=_sampling(asked.options),
    )


def generate_of(asked: GenerateAsked) -> Chat | Complete:
    """A chat of one turn; the text itself where it is `raw` or has a suffix. Raises Refusal."""
    prompt = asked.prompt or ""
    if asked.raw or asked.suffix:
        sampling, schema = _sampling(asked.options), _schema(asked.format)
        return Complete(prompt=prompt, suffix=asked.suffix or None, schema=schema, sampling=sampling)
    system = (Message(role="system", pieces=(Piece(text=asked.system),)),) if asked.system else ()
    pieces = (*(Piece(image=unpacked(image)) for image in asked.images or ()), Piece(text=prompt))
    return Chat(
        messages=(*system, Message(role="user", pieces=pieces)),
        schema=_schema(asked.format),
        thinking=_thinking(asked.think),
        sampling=_sampling(asked.options),
    )


def embed_of(asked: EmbedAsked) -> Embed:
    """Raises Refusal for no text, and for too many."""
    given = asked.input if asked.input is not None else asked.prompt
    texts = [given] if isinstance(given, str) else given or []
    if not texts or len(texts) > MOST_PIECES:
        raise Refusal(400, "invalid_request", Saying("refusal.number", number=len(texts), most=MOST_PIECES))
    return Embed(pieces=tuple(Piece(text=text) for text in texts), dimensions=asked.dimensions)


def seconds_of(keep: str | float) -> float | None:
    """Of "5m", "1h30m", 300 or "-1"; below zero is for ever: None. Raises Refusal.

    >>> seconds_of("1h30m"), seconds_of(300), seconds_of(-1), seconds_of("0")
    (5400.0, 300.0, None, 0.0)
    """
    try:
        seconds = float(keep)
    except ValueError:
        parts = _DURATION.findall(str(keep))
        if "".join(number + unit for number, unit in parts) != keep:
            raise Refusal(400, "invalid_request", Saying("refusal.empty", what="keep_alive")) from None
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    return seconds if seconds >= 0 else None


def _message(turn: Turn) -> Message:
    pieces = tuple(Piece(image=unpacked(image)) for image in turn.images or ())
    calls = tuple(
        ToolCall(
            index=at,
            id=call.id or f"call_{at}",
            name=call.function.name,
            arguments=msgspec.json.encode(call.function.arguments).decode(),
        )
        for at, call in enumerate(turn.tool_calls or ())
    )
    said = (Piece(text=turn.content),) if turn.content else ()
    name = turn.tool_name if turn.role == "tool" else None
    return Message(role=turn.role, pieces=(*pieces, *said), tool_calls=calls, tool_call_id=turn.tool_call_id, name=name)


def _sampling(options: Options | None) -> Sampling:
    given = options or Options()
    stop = (given.stop,) if isinstance(given.stop, str) else tuple(given.stop or ())
    most = given.num_predict
    return Sampling(
        max_tokens=most if most is not None and most >= 0 else None,
        temperature=given.temperature,
        top_p=given.top_p,
        top_k=given.top_k,
        min_p=given.min_p,
        seed=given.seed,
        stop=stop,
        frequency_penalty=given.frequency_penalty,
        presence_penalty=given.presence_penalty,
        repeat_penalty=given.repeat_penalty,
    )


def _schema(format: str | dict[str, Any] | None) -> str | None:
    if not format:
        return None
    return msgspec.json.encode({"type": "object"} if isinstance(format, str) else format).decode()


def _thinking(think: bool | str | None) -> bool | None:
    return think if think is None or isinstance(think, bool) else think != "none"
