"""Chats and completions in the words of OpenAI's API, as servers of models read and answer them."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from weigh.core.work import (
    Chat,
    Complete,
    Delta,
    Done,
    Event,
    Fault,
    FinishReason,
    Message,
    Piece,
    Sampling,
    Tool,
    ToolCall,
    Usage,
)
from weigh.engines.likelihoods import retold

Json = dict[str, Any]
_LEAST = 1  # llama.cpp takes 0 for no likelihoods at all
_FINISH: dict[str, FinishReason] = {"stop": "stop", "length": "length", "tool_calls": "tool_calls"}


def chat_request(job: Chat, model: str | None = None) -> Json:
    """The body of a POST to /v1/chat/completions that streams."""
    body: Json = {"messages": [_message(message) for message in job.messages], **_asked(job.sampling)}
    if job.sampling.top_logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": max(job.sampling.top_logprobs, _LEAST)}
    if job.tools:
        body["tools"] = [_tool(tool) for tool in job.tools]
    if job.tool_choice is not None:
        body["tool_choice"] = _choice(job.tool_choice)
    if job.schema is not None:
        schema = msgspec.json.decode(job.schema)
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    if job.thinking is not None:
        body["chat_template_kwargs"] = {"enable_thinking": job.thinking}
    return _streamed(body, model)


def complete_request(job: Complete, model: str | None = None) -> Json:
    """The body of a POST to /v1/completions that streams."""
    body: Json = {"prompt": job.prompt, **_asked(job.sampling)}
    if job.suffix is not None:
        body["suffix"] = job.suffix
    if job.echo:
        body["echo"] = True
    if job.schema is not None:
        body["json_schema"] = msgspec.json.decode(job.schema)
    if job.sampling.top_logprobs is not None:
        body["logprobs"] = max(job.sampling.top_logprobs, _LEAST)
    return _streamed(body, model)


def _streamed(body: Json, model: str | None) -> Json:
    return {
        **({"model": model} if model else {}),
        **body,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def _asked(sampling: Sampling) -> Json:
    """What was asked for, and nothing else: the rest is the model's own."""
    asked = msgspec.structs.asdict(sampling)
    del asked["top_logprobs"]
    asked["stop"] = list(sampling.stop) or None
    return {key: value for key, value in asked.items() if value is not None}


def _message(message: Message) -> Json:
    said: Json = {"role": message.role}
    plain = all(piece.text is not None for piece in message.pieces)
    if plain:
        said["content"] = "".join(piece.text or "" for piece in message.pieces)
    else:
        said["content"] = [_piece(piece) for piece in message.pieces]
    if message.tool_calls:
        said["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        said["tool_call_id"] = message.tool_call_id
    if message.name is not None:
        said["name"] = message.name
    return said


def _piece(piece: Piece) -> Json:
    if piece.image is not None:
        url = f"data:{_kind_of(piece.image)};base64,{base64.b64encode(piece.image).decode()}"
        return {"type": "image_url", "image_url": {"url": url}}
    if piece.audio is not None:
        kind = "wav" if piece.audio[:4] == b"RIFF" else "mp3"
        return {"type": "input_audio", "input_audio": {"data": base64.b64encode(piece.audio).decode(), "format": kind}}
    return {"type": "text", "text": piece.text or ""}


def _kind_of(image: bytes) -> str:
    if image.startswith(b"\xff\xd8"):
        return "image/jpeg"
    return "image/webp" if image[8:12] == b"WEBP" else "image/png"


def _tool(tool: Tool) -> Json:
    function: Json = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = msgspec.json.decode(tool.parameters)
    return {"type": "function", "function": function}


def _choice(choice: str) -> str | Json:
    return choice if choice in ("auto", "none", "required") else {"type": "function", "function": {"name": choice}}


def _call(call: ToolCall) -> Json:
    return {"id": call.id or "", "type": "function", "function": {"name": call.name or "", "arguments": call.arguments}}


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _Call(msgspec.Struct):
    index: int = 0
    id: str | None = None
    function: _Function = msgspec.field(default_factory=_Function)


class _Said(msgspec.Struct):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    delta: _Said | None = None
    text: str | None = None
    finish_reason: str | None = None
    logprobs: Any = None


class _Cached(msgspec.Struct):
    cached_tokens: int | None = None


class _Thought(msgspec.Struct):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Cached | None = None
    completion_tokens_details: _Thought | None = None


class _Timings(msgspec.Struct):
    cache_n: int = 0
    prompt_n: int = 0
    predicted_n: int = 0


class _Verbose(msgspec.Struct):
    stopping_word: str = ""


class _Error(msgspec.Struct):
    message: str = ""
    type: str | None = None
    code: int | str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] = msgspec.field(default_factory=list)
    usage: _Usage | None = None
    error: _Error | None = None
    timings: _Timings | None = None
    verbose: _Verbose | None = msgspec.field(default=None, name="__verbose")


_CHUNKS = msgspec.json.Decoder(_Chunk)


class Answer:
    """What chunks of a stream add up to: each gives Deltas, `last` gives how it ended.

    `top` is how many tokens were asked for beside each.
    """

    def __init__(self, top: int | None = None) -> None:
        self._top = top
        self._finish: FinishReason | None = None
        self._usage = Usage()
        self._fault: Fault | None = None
        self._stopped_by: str | None = None
        self._thoughts = 0

    def take(self, chunk: bytes | str | Json) -> list[Event]:
        """The Deltas of one chunk. Raises msgspec.DecodeError for what is none."""
        said = msgspec.convert(chunk, _Chunk) if isinstance(chunk, dict) else _CHUNKS.decode(chunk)
        if said.error is not None:
            self._fault = fault_of(said.error.type or "", said.error.message)
        if said.timings is not None:
            self._usage = _so_far(said.timings, self._thoughts)
        if said.usage is not None:
            self._usage = _usage(said.usage, self._thoughts)
        if said.verbose is not None:
            self._stopped_by = said.verbose.stopping_word or None
        return [delta for choice in said.choices[:1] if (delta := self._delta(choice)) is not None]

    def stopped(self, sign: str) -> Done:
        """Broken off by us, for that sign."""
        return Done(usage=self._usage, stopped_by=sign)

    def last(self, *, is_cancelled: bool = False) -> Event:
        """Done, or what went wrong."""
        if self._fault is not None:
            return self._fault
        if is_cancelled:
            return Done(finish_reason="cancelled", usage=self._usage)
        if self._finish is None:
            return Fault(kind="engine_died", detail="the stream broke off")
        return Done(finish_reason=self._finish, usage=self._usage, stopped_by=self._stopped_by)

    def _delta(self, choice: _Choice) -> Delta | None:
        if choice.finish_reason is not None:
            self._finish = _FINISH.get(choice.finish_reason, "stop")
        said = choice.delta or _Said()
        reasoning = said.reasoning_content or said.reasoning or ""
        self._thoughts += bool(reasoning)
        delta = Delta(
            text=said.content or choice.text or "",
            reasoning=reasoning,
            tool_calls=tuple(map(_called, said.tool_calls or ())),
            logprobs=retold(choice.logprobs, self._top),
        )
        return None if delta == Delta() else delta


def _called(call: _Call) -> ToolCall:
    return ToolCall(index=call.index, id=call.id, name=call.function.name, arguments=call.function.arguments or "")


def _usage(usage: _Usage, thoughts: int) -> Usage:
    """`thoughts`, the pieces of reasoning that came, stand for its tokens where the server counts none."""
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else None
    told = usage.completion_tokens_details.reasoning_tokens if usage.completion_tokens_details else None
    return Usage(
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=cached or 0,
        completion_tokens=usage.completion_tokens,
        reasoning_tokens=min(told or thoughts, usage.completion_tokens),
    )


def _so_far(timings: _Timings, thoughts: int) -> Usage:
    """As llama.cpp counts while it writes."""
    return Usage(
        prompt_tokens=timings.cache_n + timings.prompt_n,
        cached_tokens=timings.cache_n,
        completion_tokens=timings.predicted_n,
        reasoning_tokens=min(thoughts, timings.predicted_n),
    )


_THEIR_FAULT = ("bad", "input is not supported", "json schema error", "grammar", "failed to parse")


def fault_of(kind: str, message: str) -> Fault:
    """An error as such servers tell it."""
    text = f"{kind} {message}".lower()
    if "context" in text and ("exceed" in text or "length" in text or "maximum" in text):
        return Fault(kind="context_overflow", detail=message)
    if any(sign in text for sign in _THEIR_FAULT) or "invalid" in kind or "not_supported" in kind:
        return Fault(kind="bad_input", detail=message)
    return Fault(kind="failed", detail=message or kind)
