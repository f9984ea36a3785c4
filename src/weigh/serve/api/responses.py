"""OpenAI's route of responses, whole or as a stream of numbered events; nothing is kept between two."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weigh.core.work import Done, Event, Usage
from weigh.serve.api.blocks import Block, Blocks, Step, blocks_of
from weigh.serve.api.doors import STREAMED, Door
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.responses_shapes import ResponseRequest, chat_of
from weigh.serve.api.serving import Serving, body_of
from weigh.serve.api.streams import SSE, streamed
from weigh.serve.api.tell import as_json, sentence
from weigh.text import Language

Json = dict[str, Any]


def routes(serving: Serving) -> list[Route]:
    """One."""

    async def respond(request: Request) -> Response:
        asked = await body_of(request, ResponseRequest, serving.settings.body_bytes)
        name = serving.name_of(asked.model)
        spoken = SpokenResponse(name, serving.language, asked)
        if asked.stream:
            return await streamed(serving, request, (name, chat_of(asked)), spoken, SSE)
        return as_json(spoken.whole(await serving.whole(request, name, chat_of(asked))))

    return [Door("/v1/responses", respond, ResponseRequest).says(*STREAMED)]


class SpokenResponse:
    """A Teller of one response."""

    def __init__(self, model: str, language: Language, asked: ResponseRequest) -> None:
        self._model = model
        self._language: Language = language
        self._asked = asked
        self._id = f"resp_{secrets.token_hex(16)}"
        self._created = int(time.time())
        self._blocks = Blocks()
        self._number = 0

    def begin(self) -> Iterable[bytes]:
        """Created, and in progress."""
        for what in ("created", "in_progress"):
            yield self._event(f"response.{what}", response=self._response("in_progress"))

    def tell(self, event: Event) -> Iterable[bytes]:
        """Items as they open, grow and close; then the whole."""
        for step in self._blocks.take(event):
            yield from self._step(step)
        if isinstance(event, Done):
            status = self._status()
            yield self._event(f"response.{status}", response=self._response(status))

    def fail(self, refusal: Refusal) -> Iterable[bytes]:
        """A response that failed, and why."""
        why = {"code": refusal.code, "message": sentence(refusal, self._language)}
        yield self._event("response.failed", response={**self._response("failed"), "error": why})
        yield self._event("error", **why, param=None)

    def whole(self, events: list[Event]) -> Json:
        """The response in one piece."""
        self._blocks = blocks_of(events)
        return self._response(self._status())

    def _status(self) -> str:
        return "incomplete" if self._blocks.last.finish_reason == "length" else "completed"

    def _response(self, status: str) -> Json:
        asked = self._asked
        form = asked.text.format if asked.text is not None else None
        return {
            "id": self._id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            "instructions": asked.instructions,
            "max_output_tokens": asked.max_output_tokens,
            "model": self._model,
            "output": [self._item(block, "completed") for block in self._blocks.all],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "temperature": asked.temperature,
            "text": {"format": form or {"type": "text"}},
            "tool_choice": asked.tool_choice or "auto",
            "tools": asked.tools or [],
            "top_p": asked.top_p,
            "truncation": "disabled",
            "usage": _usage(self._blocks.last.usage) if status in ("completed", "incomplete") else None,
            "metadata": asked.metadata or {},
        }

    def _item(self, block: Block, status: str) -> Json:
        stem = f"{self._id[5:]}_{block.index}"
        match block.kind:
            case "reasoning":
                thought = [{"type": "reasoning_text", "text": block.text}]
                return {"id": f"rs_{stem}", "type": "reasoning", "summary": [], "content": thought}
            case "text":
                said = [_text(block.text)] if status == "completed" else []
                return {"id": f"msg_{stem}", "type": "message", "role": "assistant", "status": status, "content": said}
            case "call":
                return {
                    "id": f"fc_{stem}",
                    "type": "function_call",
                    "status": status,
                    "call_id": block.id,
                    "name": block.name,
                    "arguments": block.text,
                }

    def _step(self, step: Step) -> Iterator[bytes]:
        block = step.block
        item = self._item(block, "completed" if step.what == "close" else "in_progress")
        at: Json = {"item_id": item["id"], "output_index": block.index}
        match step.what:
            case "open":
                yield self._event("response.output_item.added", output_index=block.index, item=item)
                if block.kind == "text":
                    yield self._event("response.content_part.added", **at, content_index=0, part=_text(""))
            case "grow":
                yield self._event(f"{_STEM[block.kind]}.delta", **at, **_more(block), delta=step.piece)
            case "close":
                yield self._event(f"{_STEM[block.kind]}.done", **at, **_more(block), **_last(block))
                if block.kind == "text":
                    yield self._event("response.content_part.done", **at, content_index=0, part=_text(block.text))
                yield self._event("response.output_item.done", output_index=block.index, item=item)

    def _event(self, kind: str, **said: object) -> bytes:
        body = msgspec.json.encode({"type": kind, "sequence_number": self._number, **said})
        self._number += 1
        return b"event: " + kind.encode() + b"\ndata: " + body + b"\n\n"


_STEM = {
    "reasoning": "response.reasoning_text",
    "text": "response.output_text",
    "call": "response.function_call_arguments",
}


def _more(block: Block) -> Json:
    if block.kind == "call":
        return {}
    return {"content_index": 0, "logprobs": []} if block.kind == "text" else {"content_index": 0}


def _last(block: Block) -> Json:
    return {"arguments": block.text, "name": block.name} if block.kind == "call" else {"text": block.text}


def _text(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _usage(usage: Usage) -> Json:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
