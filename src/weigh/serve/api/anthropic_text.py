"""Anthropic's routes: messages, whole or streamed, and the count of their tokens."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weigh.core.work import Done, Event, Usage
from weigh.serve.api.anthropic_shapes import CountRequest, MessageRequest, chat_of, counted_of
from weigh.serve.api.blocks import Block, Blocks, Step, blocks_of
from weigh.serve.api.doors import STREAMED, Door
from weigh.serve.api.openai_spoken import done_of
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.serving import Serving, body_of
from weigh.serve.api.streams import SSE, streamed
from weigh.serve.api.tell import anthropic_error, as_json
from weigh.text import Language

Json = dict[str, Any]


def routes(serving: Serving) -> list[Route]:
    """Each with the server it belongs to."""

    async def messages(request: Request) -> Response:
        asked = await body_of(request, MessageRequest, serving.settings.body_bytes)
        name = serving.name_of(asked.model)
        if asked.stream:
            return await streamed(serving, request, (name, chat_of(asked)), SpokenMessage(name, serving.language), SSE)
        return as_json(_whole(name, await serving.whole(request, name, chat_of(asked))))

    async def count(request: Request) -> Response:
        asked = await body_of(request, CountRequest, serving.settings.body_bytes)
        events = await serving.whole(request, serving.name_of(asked.model), counted_of(asked))
        return as_json({"input_tokens": done_of(events).usage.prompt_tokens})

    return [
        Door("/v1/messages", messages, MessageRequest).says(*STREAMED),
        Door("/v1/messages/count_tokens", count, CountRequest),
    ]


def _whole(model: str, events: list[Event]) -> Json:
    blocks = blocks_of(events)
    return {
        **_message(model),
        "content": [_content(block) for block in blocks.all],
        "stop_reason": _reason(blocks),
        "stop_sequence": blocks.last.stopped_by,
        "usage": _usage(blocks.last.usage),
    }


def _message(model: str) -> Json:
    """Before anything is said."""
    return {
        "id": f"msg_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": _usage(Usage()),
    }


def _content(block: Block) -> Json:
    match block.kind:
        case "reasoning":
            return {"type": "thinking", "thinking": block.text, "signature": ""}
        case "text":
            return {"type": "text", "text": block.text}
        case "call":
            return {"type": "tool_use", "id": block.id, "name": block.name, "input": _arguments(block.text)}


def _arguments(text: str) -> Any:
    """An object; what a model wrote badly is shown as it is."""
    try:
        read = msgspec.json.decode(text or "{}")
    except msgspec.DecodeError:
        return {"arguments": text}
    return read if isinstance(read, dict) else {"arguments": read}


def _reason(blocks: Blocks) -> str:
    if blocks.has_called:
        return "tool_use"
    if blocks.last.stopped_by is not None:
        return "stop_sequence"
    return "max_tokens" if blocks.last.finish_reason == "length" else "end_turn"


def _usage(usage: Usage) -> Json:
    """What was kept from before is counted apart from what was read."""
    return {
        "input_tokens": usage.prompt_tokens - usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation_input_tokens": 0,
    }


class SpokenMessage:
    """A Teller of the stream of one message."""

    def __init__(self, model: str, language: Language) -> None:
        self._model = model
        self._language: Language = language
        self._blocks = Blocks()

    def begin(self) -> Iterable[bytes]:
        """The message, still empty."""
        yield _event({"type": "message_start", "message": _message(self._model)})

    def tell(self, event: Event) -> Iterable[bytes]:
        """Blocks as they open, grow and close."""
        for step in self._blocks.take(event):
            yield _event(_step(step))
        if isinstance(event, Done):
            ended = {"stop_reason": _reason(self._blocks), "stop_sequence": event.stopped_by}
            yield _event({"type": "message_delta", "delta": ended, "usage": _usage(event.usage)})
            yield _event({"type": "message_stop"})

    def fail(self, refusal: Refusal) -> Iterable[bytes]:
        """The event `error`."""
        yield _event(anthropic_error(refusal, self._language))


def _step(step: Step) -> Json:
    block = step.block
    match step.what:
        case "open":
            return {"type": "content_block_start", "index": block.index, "content_block": _content(block)}
        case "grow":
            return {"type": "content_block_delta", "index": block.index, "delta": _delta(block, step.piece)}
        case "close":
            return {"type": "content_block_stop", "index": block.index}


def _delta(block: Block, piece: str) -> Json:
    match block.kind:
        case "reasoning":
            return {"type": "thinking_delta", "thinking": piece}
        case "text":
            return {"type": "text_delta", "text": piece}
        case "call":
            return {"type": "input_json_delta", "partial_json": piece}


def _event(said: Json) -> bytes:
    return b"event: " + str(said["type"]).encode() + b"\ndata: " + msgspec.json.encode(said) + b"\n\n"
