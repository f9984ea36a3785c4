"""Requests in Anthropic's shapes, and the chats they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from weigh.core.saying import Saying
from weigh.core.work import Chat, Message, Piece, Sampling, Tool, ToolCall
from weigh.serve.api.openai_shapes import MOST_TOKENS, Number, Share, unpacked
from weigh.serve.api.refusal import Refusal


class Origin(msgspec.Struct):
    """Where a picture is: in the request itself, or nowhere for us."""

    type: str
    data: str | None = None


class Block(msgspec.Struct):
    """One block of a turn's content."""

    type: str
    text: str | None = None
    source: Origin | None = None
    id: str | None = None
    name: str | None = None
    input: dict[str, Any] | None = None
    tool_use_id: str | None = None
    content: str | list[Block] | None = None


class Turn(msgspec.Struct):
    """One message."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


class Declared(msgspec.Struct):
    """A tool on offer."""

    name: str
    description: str | None = None
    input_schema: dict[str, Any] | None = None


class Choice(msgspec.Struct):
    """Which tool must be called, if any."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None


class Thinking(msgspec.Struct):
    """Whether the model may reason first."""

    type: str


class Format(msgspec.Struct):
    """What the answer must satisfy."""

    type: str
    schema: dict[str, Any] | None = None


class Output(msgspec.Struct):
    """How the answer is wanted."""

    format: Format | None = None


class CountRequest(msgspec.Struct, kw_only=True):
    """POST /v1/messages/count_tokens."""

    messages: list[Turn]
    model: str | None = None
    system: str | list[Block] | None = None
    tools: list[Declared] | None = None
    tool_choice: Choice | None = None
    thinking: Thinking | None = None
    output_config: Output | None = None


class MessageRequest(CountRequest, kw_only=True):
    """POST /v1/messages."""

    max_tokens: Number
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: Share | None = None
    top_p: Share | None = None
    top_k: Annotated[int, Meta(ge=0, le=MOST_TOKENS)] | None = None


def chat_of(asked: MessageRequest) -> Chat:
    """Raises Refusal for what no model could be asked."""
    return _chat(
        asked,
        Sampling(
            max_tokens=asked.max_tokens,
            temperature=asked.temperature,
            top_p=asked.top_p,
            top_k=asked.top_k,
            stop=tuple(asked.stop_sequences or ()),
        ),
    )


def counted_of(asked: CountRequest) -> Chat:
    """The chat whose prompt is counted: the model reads it whole, and says one token. Raises Refusal."""
    return _chat(asked, Sampling(max_tokens=1))


def _chat(asked: CountRequest, sampling: Sampling) -> Chat:
    if not asked.messages:
        raise Refusal(400, "invalid_request", Saying("refusal.empty", what="messages"))
    system = _system(asked.system)
    form = asked.output_config.format if asked.output_config is not None else None
    schema = form.schema if form is not None and form.type == "json_schema" else None
    return Chat(
        messages=(*system, *(message for turn in asked.messages for message in _messages(turn))),
        tools=tuple(map(_tool, asked.tools or ())),
        tool_choice=_choice(asked.tool_choice, [tool.name for tool in asked.tools or ()]),
        schema=msgspec.json.encode(schema).decode() if schema is not None else None,
        thinking=None if asked.thinking is None else asked.thinking.type != "disabled",
        sampling=sampling,
    )


def _system(said: str | list[Block] | None) -> tuple[Message, ...]:
    text = said if isinstance(said, str) else "\n".join(block.text or "" for block in said or ())
    return (Message(role="system", pieces=(Piece(text=text),)),) if text else ()


def _messages(turn: Turn) -> list[Message]:
    """What tools answered are turns of their own, before the rest of the turn."""
    blocks = [Block(type="text", text=turn.content)] if isinstance(turn.content, str) else turn.content
    results = [_result(block) for block in blocks if block.type == "tool_result"]
    calls = [block for block in blocks if block.type == "tool_use"]
    pieces = tuple(_piece(block) for block in blocks if block.type not in _APART)
    if not pieces and not calls:
        return results
    called = tuple(_call(at, block) for at, block in enumerate(calls))
    return [*results, Message(role=turn.role, pieces=pieces, tool_calls=called)]


_APART = ("tool_result", "tool_use", "thinking", "redacted_thinking")


def _result(block: Block) -> Message:
    inner = [Block(type="text", text=block.content)] if isinstance(block.content, str) else block.content or []
    return Message(role="tool", pieces=tuple(map(_piece, inner)), tool_call_id=block.tool_use_id)


def _call(at: int, block: Block) -> ToolCall:
    arguments = msgspec.json.encode(block.input or {}).decode()
    return ToolCall(index=at, id=block.id, name=block.name, arguments=arguments)


def _piece(block: Block) -> Piece:
    if block.type == "image" and block.source is not None:
        if block.source.data is None:
            raise Refusal(400, "invalid_request", Saying("refusal.url"))
        return Piece(image=unpacked(block.source.data))
    if block.text is None:
        raise Refusal(400, "invalid_request", Saying("refusal.block", kind=block.type))
    return Piece(text=block.text)


def _tool(declared: Declared) -> Tool:
    schema = declared.input_schema
    parameters = msgspec.json.encode(schema).decode() if schema is not None else None
    return Tool(name=declared.name, description=declared.description, parameters=parameters)


def _choice(choice: Choice | None, names: Sequence[str]) -> str | None:
    if choice is None:
        return None
    if (choice.type == "tool" and choice.name not in names) or (choice.type == "any" and not names):
        raise Refusal(400, "invalid_request", Saying("refusal.empty", what="tool_choice"), param="tool_choice")
    return choice.name if choice.type == "tool" else {"any": "required"}.get(choice.type, choice.type)
