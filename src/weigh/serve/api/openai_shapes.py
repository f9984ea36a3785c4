"""Requests in OpenAI's shapes, and the jobs they stand for."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from weigh.core.saying import Saying
from weigh.core.work import Chat, Complete, Embed, Message, Piece, Sampling, Tool, ToolCall
from weigh.serve.api.refusal import Refusal

MOST_PIECES, MOST_ANSWERS = 2048, 128
MOST_TOKENS, MOST_SEED = (1 << 31) - 1, (1 << 63) - 1
Number = Annotated[int, Meta(ge=1, le=MOST_TOKENS)]
Share = Annotated[float, Meta(ge=0, le=1)]
Warmth = Annotated[float, Meta(ge=0, le=2)]
Weight = Annotated[float, Meta(ge=-2, le=2)]
J = TypeVar("J", Chat, Complete)
Seed = Annotated[int, Meta(ge=-MOST_SEED, le=MOST_SEED)]


class _Url(msgspec.Struct):
    url: str


class _Sound(msgspec.Struct):
    data: str


class Part(msgspec.Struct):
    """One part of a message's content."""

    type: str = "text"
    text: str | None = None
    image_url: _Url | str | None = None
    input_audio: _Sound | None = None


class _Function(msgspec.Struct):
    name: str
    arguments: str | dict[str, Any] = "{}"


class Called(msgspec.Struct):
    """A call that a turn of the assistant made."""

    function: _Function
    id: str | None = None


class Turn(msgspec.Struct):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    tool_calls: list[Called] | None = None
    tool_call_id: str | None = None
    name: str | None = None


class _Declared(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Declared(msgspec.Struct):
    """A tool on offer."""

    function: _Declared
    type: str = "function"


class _Schema(msgspec.Struct):
    schema: dict[str, Any] | None = None
    name: str | None = None


class _Form(msgspec.Struct):
    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: _Schema | None = None
    schema: dict[str, Any] | None = None


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class Drawn(msgspec.Struct):
    """What all requests for text share."""

    model: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: Annotated[int, Meta(ge=0, le=MOST_TOKENS)] | None = None  # 0 where only the prompt's own are wanted
    max_completion_tokens: Number | None = None
    temperature: Warmth | None = None
    top_p: Share | None = None
    top_k: Annotated[int, Meta(ge=-1, le=MOST_TOKENS)] | None = None
    min_p: Share | None = None
    seed: Seed | None = None
    stop: str | list[str] | None = None
    frequency_penalty: Weight | None = None
    presence_penalty: Weight | None = None
    repetition_penalty: Annotated[float, Meta(gt=0)] | None = None
    logit_bias: dict[str, float] | None = None
    n: Annotated[int, Meta(ge=1, le=MOST_ANSWERS)] | None = None


class ChatRequest(Drawn, kw_only=True):
    """POST /v1/chat/completions."""

    messages: list[Turn]
    max_tokens: Number | None = None
    tools: list[Declared] | None = None
    tool_choice: Literal["none", "auto", "required"] | dict[str, Any] | None = None
    response_format: _Form | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    reasoning_effort: str | None = None


class CompletionRequest(Drawn, kw_only=True):
    """POST /v1/completions."""

    prompt: str | list[str]
    suffix: str | None = None
    echo: bool | None = None
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    best_of: int | None = None
    json_schema: dict[str, Any] | None = None


class EmbeddingRequest(msgspec.Struct, kw_only=True):
    """POST /v1/embeddings."""

    input: str | list[str | int | list[int]]
    model: str | None = None
    dimensions: Number | None = None
    encoding_format: Literal["float", "base64"] | None = None
    purpose: Literal["query", "document"] | None = None


def chat_of(asked: ChatRequest) -> Chat:
    """Raises Refusal for what no model could be asked."""
    if not asked.messages:
        raise Refusal(400, "invalid_request", Saying("refusal.empty", what="messages"))
    if asked.top_logprobs is not None and not asked.logprobs:
        raise Refusal(400, "invalid_request", Saying("refusal.empty", what="logprobs"), param="logprobs")
    top = (asked.top_logprobs or 0) if asked.logprobs else None
    return Chat(
        messages=tuple(map(_message, asked.messages)),
        tools=tuple(map(tool_of, asked.tools or ())),
        tool_choice=_choice(asked.tool_choice, asked.tools or []),
        schema=_schema(asked.response_format),
        thinking=_thinking(asked),
        sampling=sampling_of(asked, top),
    )


def completes_of(asked: CompletionRequest) -> list[Complete]:
    """One a prompt. Raises Refusal."""
    if asked.best_of is not None and asked.best_of != (asked.n or 1):
        raise Refusal(400, "unsupported", Saying("refusal.ignored", field="best_of"), param="best_of")
    prompts = [asked.prompt] if isinstance(asked.prompt, str) else asked.prompt
    if not 1 <= len(prompts) <= MOST_ANSWERS:
        raise Refusal(400, "invalid_request", Saying("refusal.number", number=len(prompts), most=MOST_ANSWERS))
    if asked.echo and asked.logprobs is not None:
        raise Refusal(400, "unsupported", Saying("refusal.echo_logprobs"))
    schema = msgspec.json.encode(asked.json_schema).decode() if asked.json_schema is not None else None
    sampling = sampling_of(asked, asked.logprobs)
    one = Complete(prompt="", suffix=asked.suffix, echo=asked.echo, schema=schema, sampling=sampling)
    return [msgspec.structs.replace(one, prompt=prompt) for prompt in prompts]


def several(asked: Drawn, jobs: Sequence[J]) -> tuple[list[J], int]:
    """Each job as often as answers are wanted, each drawn with a seed of its own; and that number."""
    number = asked.n or 1
    return [_reseeded(job, at) for job in jobs for at in range(number)], number


def _reseeded(job: J, at: int) -> J:
    seed = job.sampling.seed
    if seed is None or at == 0:
        return job
    return msgspec.structs.replace(job, sampling=msgspec.structs.replace(job.sampling, seed=seed + at))


def embed_of(asked: EmbeddingRequest) -> Embed:
    """Raises Refusal: for no text, for too many, and for tokens, which mean something to one tokenizer alone."""
    texts: Sequence[object] = [asked.input] if isinstance(asked.input, str) else asked.input
    if not texts or len(texts) > MOST_PIECES:
        raise Refusal(400, "invalid_request", Saying("refusal.number", number=len(texts), most=MOST_PIECES))
    if any(not isinstance(text, str) for text in texts):
        raise Refusal(400, "invalid_request", Saying("refusal.tokens"))
    if "" in texts:
        raise Refusal(400, "invalid_request", Saying("refusal.empty", what="input"), param="input")
    pieces = tuple(Piece(text=str(text)) for text in texts)
    return Embed(pieces=pieces, dimensions=asked.dimensions, purpose=asked.purpose)


def sampling_of(asked: Drawn, top_logprobs: int | None) -> Sampling:
    """As asked, and nothing more. Raises Refusal for what no engine here is told of."""
    if asked.logit_bias:
        raise Refusal(400, "unsupported", Saying("refusal.ignored", field="logit_bias"), param="logit_bias")
    stop = (asked.stop,) if isinstance(asked.stop, str) else tuple(asked.stop or ())
    most = asked.max_completion_tokens if asked.max_completion_tokens is not None else asked.max_tokens
    return Sampling(
        max_tokens=most,
        temperature=asked.temperature,
        top_p=asked.top_p,
        top_k=asked.top_k,
        min_p=asked.min_p,
        seed=asked.seed,
        stop=stop,
        frequency_penalty=asked.frequency_penalty,
        presence_penalty=asked.presence_penalty,
        repeat_penalty=asked.repetition_penalty,
        top_logprobs=top_logprobs,
    )


def bytes_of(url: str) -> bytes:
    """Of a data: URL. Raises Refusal for another: the server fetches nothing for anybody."""
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        raise Refusal(400, "invalid_request", Saying("refusal.url"))
    return unpacked(data)


def unpacked(data: str) -> bytes:
    """From base64. Raises Refusal."""
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(400, "invalid_request", Saying("refusal.base64")) from error


def _message(turn: Turn) -> Message:
    if turn.content is None and turn.role != "assistant":
        raise Refusal(400, "invalid_request", Saying("refusal.empty", what="content"), param="messages")
    parts = [Part(text=turn.content)] if isinstance(turn.content, str) else turn.content or []
    return Message(
        role="system" if turn.role == "developer" else turn.role,
        pieces=tuple(map(_piece, parts)),
        tool_calls=tuple(_call(at, call) for at, call in enumerate(turn.tool_calls or ())),
        tool_call_id=turn.tool_call_id,
        name=turn.name,
    )


def _piece(part: Part) -> Piece:
    if part.image_url is not None:
        return Piece(image=bytes_of(part.image_url if isinstance(part.image_url, str) else part.image_url.url))
    if part.input_audio is not None:
        return Piece(audio=unpacked(part.input_audio.data))
    if part.text is None:
        raise Refusal(400, "invalid_request", Saying("refusal.part", kind=part.type))
    return Piece(text=part.text)


def _call(at: int, called: Called) -> ToolCall:
    said = called.function.arguments
    arguments = said if isinstance(said, str) else msgspec.json.encode(said).decode()
    return ToolCall(index=at, id=called.id, name=called.function.name, arguments=arguments)


def tool_of(declared: Declared) -> Tool:
    """A tool as a model is told of it."""
    given = declared.function
    parameters = msgspec.json.encode(given.parameters).decode() if given.parameters is not None else None
    return Tool(name=given.name, description=given.description, parameters=parameters)


def _choice(asked: str | dict[str, Any] | None, tools: Sequence[Declared]) -> str | None:
    match asked:
        case "required" if tools:
            return asked
        case None | "auto" | "none":
            return asked
        case {"function": {"name": str(name)}} | {"name": str(name)} if name in [one.function.name for one in tools]:
            return name
        case _:
            raise Refusal(400, "invalid_request", Saying("refusal.empty", what="tool_choice"), param="tool_choice")


def _schema(form: _Form | None) -> str | None:
    if form is None or form.type == "text":
        return None
    given = form.json_schema.schema if form.json_schema is not None else form.schema
    if given is None and form.type == "json_schema":
        raise Refusal(400, "invalid_request", Saying("refusal.empty", what="json_schema"), param="response_format")
    return msgspec.json.encode(given if given is not None else {"type": "object"}).decode()


def _thinking(asked: ChatRequest) -> bool | None:
    said = (asked.chat_template_kwargs or {}).get("enable_thinking")
    if isinstance(said, bool):
        return said
    return None if asked.reasoning_effort is None else asked.reasoning_effort != "none"
