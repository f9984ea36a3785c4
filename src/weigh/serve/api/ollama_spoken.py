"""What a model says, as Ollama's lines of JSON."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable
from typing import Any

import msgspec

from weigh.core.work import Delta, Done, Event
from weigh.serve.api.blocks import Block, Blocks, blocks_of
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.tell import sentence
from weigh.text import Language

Json = dict[str, Any]


class SpokenLine:
    """A Teller of one chat or one text; a call of a tool is told when it is whole."""

    def __init__(self, model: str, language: Language, *, is_chat: bool) -> None:
        self._model = model
        self._language: Language = language
        self._is_chat = is_chat
        self._blocks = Blocks()
        self._started = time.monotonic_ns()
        self._first: int | None = None

    def begin(self) -> Iterable[bytes]:
        """Nothing."""
        return ()

    def tell(self, event: Event) -> Iterable[bytes]:
        """A line a piece."""
        if isinstance(event, Delta) and self._first is None:
            self._first = time.monotonic_ns()
        for step in self._blocks.take(event):
            block = step.block
            if step.what == "grow" and block.kind != "call":
                is_text = block.kind == "text"
                yield self._line(self._said(step.piece if is_text else "", None if is_text else step.piece, ()))
            elif step.what == "close" and block.kind == "call":
                yield self._line(self._said("", None, (block,)))
        if isinstance(event, Done):
            yield _encoded({**self._framed(self._said("", None, ())), **self._ended(event)})

    def fail(self, refusal: Refusal) -> Iterable[bytes]:
        """A line with an error."""
        yield _encoded({"error": sentence(refusal, self._language)})

    def whole(self, events: list[Event]) -> Json:
        """The answer in one piece."""
        blocks = blocks_of(events)
        text = "".join(block.text for block in blocks.all if block.kind == "text")
        reasoning = "".join(block.text for block in blocks.all if block.kind == "reasoning")
        calls = tuple(block for block in blocks.all if block.kind == "call")
        return {**self._framed(self._said(text, reasoning or None, calls)), **self._ended(blocks.last)}

    def _said(self, text: str, reasoning: str | None, calls: tuple[Block, ...]) -> Json:
        thinking = {"thinking": reasoning} if reasoning is not None else {}
        if not self._is_chat:
            return {"response": text, **thinking}
        called = {"tool_calls": [_call(block) for block in calls]} if calls else {}
        return {"message": {"role": "assistant", "content": text, **thinking, **called}}

    def _framed(self, said: Json) -> Json:
        return {"model": self._model, "created_at": now(), **said}

    def _line(self, said: Json) -> bytes:
        return _encoded({**self._framed(said), "done": False})

    def _ended(self, done: Done) -> Json:
        """Times in nanoseconds: to the first token, and from there to the end."""
        ended = time.monotonic_ns()
        first = self._first or ended
        return {
            "done": True,
            "done_reason": "length" if done.finish_reason == "length" else "stop",
            "total_duration": ended - self._started,
            "load_duration": 0,
            "prompt_eval_count": done.usage.prompt_tokens,
            "prompt_eval_duration": first - self._started,
            "eval_count": done.usage.completion_tokens,
            "eval_duration": ended - first,
        }


def now() -> str:
    """As Ollama writes a time."""
    return datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z")


def _call(block: Block) -> Json:
    try:
        arguments = msgspec.json.decode(block.text or "{}")
    except msgspec.DecodeError:
        arguments = {"arguments": block.text}
    named = {"name": block.name, "arguments": arguments if isinstance(arguments, dict) else {"arguments": arguments}}
    return {"id": block.id, "function": named}


def _encoded(said: Json) -> bytes:
    return msgspec.json.encode(said) + b"\n"
