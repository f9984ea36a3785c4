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
    kind_of_whole = ""

    def __init__(self, model: str, language: Language, *, with_usage: bool = False) -> None:
        self.model = model
        self.index = 0
        self._number = self._each = 1
        self._spent = Usage()
        self.with_usage = with_usage
        self.id = f"{self.kind}-{secrets.token_hex(12)}"
        self.created = int(time.time())
        self.has_called = False
        self._language: Language = language

    def expect(self, number: int, each: int) -> None:
        """`number` answers one after another, `each` of them to the same prompt."""
        self._number, self._each = number, each

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
                self._end(event)
                if self.index < self._number:
                    yield from self.begin()
                    return
                if self.with_usage:
                    yield _event(self.framed([], usage_of(self._spent)))
                yield _END
            case _:
                return

    def fail(self, refusal: Refusal) -> Iterable[bytes]:
        """One more event, and then the end."""
        yield _event(openai_error(refusal, self._language))
        yield _END

    def whole(self, events: list[Event]) -> Json:
        """The answers in one piece."""
        choices: list[Json] = []
        at = 0
        for end, event in enumerate(events, 1):
            if isinstance(event, Done):
                choices.append(self.choice([one for one in events[at:end] if isinstance(one, Delta)], event))
                self._end(event)
                at = end
        return {
            "id": self.id,
            "object": self.kind_of_whole,
            "created": self.created,
            "model": self.model,
            "choices": choices,
            "usage": usage_of(self._spent),
        }

    def _end(self, done: Done) -> None:
        """A prompt that is answered several times was read once."""
        is_first = self.index % self._each == 0
        spent, more = self._spent, done.usage
        self._spent = Usage(
            prompt_tokens=spent.prompt_tokens + (more.prompt_tokens if is_first else 0),
            cached_tokens=spent.cached_tokens + (more.cached_tokens if is_first else 0),
            completion_tokens=spent.completion_tokens + more.completion_tokens,
            reasoning_tokens=spent.reasoning_tokens + more.reasoning_tokens,
        )
        self.index += 1
        self.has_called = False

    @abstractmethod
    def choice(self, deltas: list[Delta], done: Done) -> Json:
        """One whole answer."""

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
    kind_of_whole = "chat.completion"

    def begin(self) -> Iterable[bytes]:
        yield _event(self.framed([self._said({"role": "assistant", "content": ""})]))

    def delta(self, event: Delta) -> Json:
        said: Json = {}
        if event.text:
            said["content"] = event.text
        if event.reasoning:
            said["reasoning_content"] = event.reasoning
        if event.tool_calls:
            said["tool_calls"] = [_called(call, streamed=True) for call in event.tool_calls]
        choice = self._said(said)
        if event.logprobs is not None:
            choice["logprobs"] = msgspec.Raw(event.logprobs.encode())
        return choice

    def last(self, event: Done) -> Json:
        return self._said({}, self.finish(event))

    def _said(self, delta: Json, finish: str | None = None) -> Json:
        return {"index": self.index, "delta": delta, "logprobs": None, "finish_reason": finish}

    def choice(self, deltas: list[Delta], done: Done) -> Json:
        calls = joined([call for delta in deltas for call in delta.tool_calls])
        self.has_called = bool(calls)
        text = "".join(delta.text for delta in deltas)
        message: Json = {"role": "assistant", "content": text if text or not calls else None, "refusal": None}
        if reasoning := "".join(delta.reasoning for delta in deltas):
            message["reasoning_content"] = reasoning
        if calls:
            message["tool_calls"] = [_called(call) for call in calls]
        finish = self.finish(done)
        return {"index": self.index, "message": message, "logprobs": _logprobs(deltas), "finish_reason": finish}


class SpokenCompletion(Spoken):
    """POST /v1/completions."""

    kind = "cmpl"
    kind_of_chunk = kind_of_whole = "text_completion"

    def __init__(self, model: str, language: Language, *, with_usage: bool = False) -> None:
        super().__init__(model, language, with_usage=with_usage)
        self._likely = Likely()

    def delta(self, event: Delta) -> Json:
        choice: Json = {"index": self.index, "text": event.text, "logprobs": None, "finish_reason": None}
        if (told := self._likely.told(event)) is not None:
            choice["logprobs"] = told
        return choice

    def last(self, event: Done) -> Json:
        self._likely = Likely()
        return {"index": self.index, "text": "", "logprobs": None, "finish_reason": self.finish(event)}

    def choice(self, deltas: list[Delta], done: Done) -> Json:
        text = "".join(delta.text for delta in deltas)
        finish = self.finish(done)
        return {"index": self.index, "text": text, "logprobs": whole_of(deltas), "finish_reason": finish}


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
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
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
