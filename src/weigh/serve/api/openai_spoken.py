"""What a model says, in the words of OpenAI's chats and completions."""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import msgspec

from weigh.core.work import Delta, Done, Event, ToolCall, Usage
from weigh.serve.api.likely import Likely, whole_of
from weigh.serve.api.refusal import Refusal
from weigh.serve.api.tell import openai_error
from weigh.text import Language

Json = dict[str, Any]
_encode = msgspec.json.Encoder().encode
_END = b"data: [DONE]\n\n"


class Spoken(ABC):
    """Events in the words of one route; a Teller of its stream."""

    kind = ""
    kind_of_chunk = ""

    def __init__(self, model: str, language: Language, *, with_usage: bool = False) -> None:
        self.model = model
        self.with_usage = with_usage
        self.id = f"{self.kind}-{secrets.token_hex(12)}"
        self.created = int(time.time())
        self.has_called = False
        self._language: Language = language

    def begin(self) -> Iterable[bytes]:
        """What comes before the first word."""
        return ()

    def tell(self, event: Event) -> Iterable[bytes]:
        """Server-sent events of one event."""
        match event:
            case Delta():
                self.has_called = self.has_called or bool(event.tool_calls)
                yield _event(self.framed([self.delta(event)]))
            case Done():
                yield _event(self.framed([self.last(event)]))
                if self.with_usage:
                    yield _event(self.framed([], usage_of(event.usage)))
                yield _END
            case _:
                return

    def fail(self, refusal: Refusal) -> Iterable[bytes]:
        """One more event, and then the end."""
        yield _event(openai_error(refusal, self._language))
        yield _END

    @abstractmethod
    def whole(self, events: list[Event]) -> Json:
        """The answer in one piece."""

    @abstractmethod
    def delta(self, event: Delta) -> Json:
        """One choice of a chunk."""

    @abstractmethod
    def last(self, event: Done) -> Json:
        """The choice of the chunk that ends it."""

    def framed(self, choices: list[Json], usage: Json | None = None) -> Json:
        """A chunk."""
        chunk: Json = {
            "id": self.id,
            "object": self.kind_of_chunk,
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }
        if self.with_usage:
            chunk["usage"] = usage
        return chunk

    def finish(self, event: Done) -> str:
        """Why it ended."""
        if self.has_called and event.finish_reason == "stop":
            return "tool_calls"
        return "stop" if event.finish_reason == "cancelled" else event.finish_reason


class SpokenChat(Spoken):
    """POST /v1/chat/completions."""

    kind = "chatcmpl"
    kind_of_chunk = "chat.completion.chunk"

    def begin(self) -> Iterable[bytes]:
        yield _event(self.framed([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}]))

    def delta(self, event: Delta) -> Json:
        said: Json = {}
        if event.text:
            said["content"] = event.text
        if event.reasoning:
            said["reasoning_content"] = event.reasoning
        if event.tool_calls:
            said["tool_calls"] = [_called(call, streamed=True) for call in event.tool_calls]
        choice: Json = {"index": 0, "delta": said, "finish_reason": None}
        if event.logprobs is not None:
            choice["logprobs"] = msgspec.Raw(event.logprobs.encode())
        return choice

    def last(self, event: Done) -> Json:
        return {"index": 0, "delta": {}, "finish_reason": self.finish(event)}

    def whole(self, events: list[Event]) -> Json:
        deltas = [event for event in events if isinstance(event, Delta)]
        done = done_of(events)
        calls = joined([call for delta in deltas for call in delta.tool_calls])
        self.has_called = bool(calls)
        text = "".join(delta.text for delta in deltas)
        message: Json = {"role": "assistant", "content": text if text or not calls else None}
        if reasoning := "".join(delta.reasoning for delta in deltas):
            message["reasoning_content"] = reasoning
        if calls:
            message["tool_calls"] = [_called(call) for call in calls]
        choice: Json = {"index": 0, "message": message, "finish_reason": self.finish(done)}
        if (logprobs := _logprobs(deltas)) is not None:
            choice["logprobs"] = logprobs
        return {
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [choice],
            "usage": usage_of(done.usage),
        }


class SpokenCompletion(Spoken):
    """POST /v1/completions."""

    kind = "cmpl"
    kind_of_chunk = "text_completion"

    def __init__(self, model: str, language: Language, *, with_usage: bool = False) -> None:
        super().__init__(model, language, with_usage=with_usage)
        self._likely = Likely()

    def delta(self, event: Delta) -> Json:
        choice: Json = {"index": 0, "text": event.text, "finish_reason": None}
        if (told := self._likely.told(event)) is not None:
            choice["logprobs"] = told
        return choice

    def last(self, event: Done) -> Json:
        return {"index": 0, "text": "", "finish_reason": self.finish(event)}

    def whole(self, events: list[Event]) -> Json:
        deltas = [event for event in events if isinstance(event, Delta)]
        done = done_of(events)
        text = "".join(delta.text for delta in deltas)
        choice: Json = {"index": 0, "text": text, "finish_reason": self.finish(done), "logprobs": whole_of(deltas)}
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.model,
            "choices": [choice],
            "usage": usage_of(done.usage),
        }


def done_of(events: list[Event]) -> Done:
    """The last of them."""
    return next((event for event in reversed(events) if isinstance(event, Done)), Done())


def usage_of(usage: Usage) -> Json:
    """In OpenAI's words."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
    }


def joined(calls: list[ToolCall]) -> list[ToolCall]:
    """Calls that came in pieces, whole."""
    whole: dict[int, ToolCall] = {}
    for call in calls:
        before = whole.get(call.index)
        whole[call.index] = (
            call
            if before is None
            else ToolCall(
                index=call.index,
                id=before.id or call.id,
                name=before.name or call.name,
                arguments=before.arguments + call.arguments,
            )
        )
    return list(whole.values())


def _called(call: ToolCall, *, streamed: bool = False) -> Json:
    function: Json = {"arguments": call.arguments}
    if call.name is not None:
        function = {"name": call.name, **function}
    said: Json = {"type": "function", "function": function}
    if call.id is not None or not streamed:
        said = {"id": call.id or f"call_{call.index}", **said}
    return {"index": call.index, **said} if streamed else said


def _logprobs(deltas: list[Delta]) -> Json | None:
    told = [msgspec.json.decode(delta.logprobs) for delta in deltas if delta.logprobs is not None]
    if not told:
        return None
    return {"content": [token for one in told for token in one.get("content") or ()]}


def _event(chunk: Json) -> bytes:
    return b"data: " + _encode(chunk) + b"\n\n"
