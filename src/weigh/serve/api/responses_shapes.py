"""Requests in the shape of OpenAI's responses, and the chats they stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from weigh.core.saying import Saying
from weigh.core.work import Chat, Message, Piece, Sampling, Tool, ToolCall
from weigh.serve.api.openai_shapes import Number, Share, Warmth, bytes_of
from weigh.serve.api.refusal import Refusal


class Part(msgspec.Struct):
    """One part of an item's content."""

    type: str
    text: str | None = None
    image_url: str | None = None


class Item(msgspec.Struct):
    """A message, a call of a tool, or what the tool answered; reasoning of before is left out."""

    type: str = "message"
    role: str | None = None
    content: str | list[Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[Part] | None = None


class Declared(msgspec.Struct):
    """A tool on offer; of functions alone."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Format(msgspec.Struct):
    """What the answer must satisfy."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    schema: dict[str, Any] | None = None


class Text(msgspec.Struct):
    """How text is wanted."""

    format: Format | None = None


class Reasoning(msgspec.Struct):
    """How much the model may think."""

    effort: str | None = None


class ResponseRequest(msgspec.Struct, kw_only=True):
    """POST /v1/responses."""

    input: str | list[Item]
    model: str | None = None
    instructions: str | None = None
    tools: list[Declared] | None = None
    tool_choice: str | dict[str, Any] | None = None
    text: Text | None = None
    reasoning: Reasoning | None = None
    max_output_tokens: Number | None = None
    temperature: Warmth | None = None
    top_p: Share | None = None
    stream: bool | None = None
    previous_response_id: str | None = None
    metadata: dict[str, Any] | None = None


def chat_of(asked: ResponseRequest) -> Chat:
    """Raises Refusal for what no model could be asked, and for an answer of before: none is kept."""
    if asked.previous_response_id is not None:
        raise Refusal(400, "unsupported", Saying("refusal.previous"))
    items = [Item(role="user", content=asked.input)] if isinstance(asked.input, str) else asked.input
    if not items:
        raise Refusal(400, "invalid_request", Saying("refusal.empty", what="input"))
    system = (Message(role="system", pieces=(Piece(text=asked.instructions),)),) if asked.instructions else ()
    effort = asked.reasoning.effort if asked.reasoning is not None else None
    return Chat(
        messages=(*system, *_messages(items)),
        tools=tuple(map(_tool, asked.tools or ())),
        tool_choice=_choice(asked.tool_choice, [tool.name for tool in asked.tools or ()]),
        schema=_schema(asked.text),
        thinking=None if effort is None else effort != "none",
        sampling=Sampling(max_tokens=asked.max_output_tokens, temperature=asked.temperature, top_p=asked.top_p),
    )


def _messages(items: list[Item]) -> list[Message]:
    """Calls that follow each other are one turn of the assistant."""
    found: list[Message] = []
    for item in items:
        if item.type == "function_call":
            before = found.pop() if found and found[-1].role == "assistant" else Message(role="assistant")
            call = ToolCall(
                index=len(before.tool_calls), id=item.call_id, name=item.name, arguments=item.arguments or "{}"
            )
            found.append(msgspec.structs.replace(before, tool_calls=(*before.tool_calls, call)))
        elif item.type == "function_call_output":
            found.append(Message(role="tool", pieces=_pieces(item.output), tool_call_id=item.call_id))
        elif item.type == "message" and item.role is not None:
            role = "system" if item.role == "developer" else item.role
            found.append(Message(role=role, pieces=_pieces(item.content)))
        elif item.type != "reasoning":
            raise Refusal(400, "invalid_request", Saying("refusal.block", kind=item.type))
    return found


def _pieces(content: str | list[Part] | None) -> tuple[Piece, ...]:
    if isinstance(content, str):
        return (Piece(text=content),)
    return tuple(map(_piece, content or ()))


def _piece(part: Part) -> Piece:
    if part.image_url is not None:
        return Piece(image=bytes_of(part.image_url))
    if part.text is None:
        raise Refusal(400, "invalid_request", Saying("refusal.block", kind=part.type))
    return Piece(text=part.text)


def _tool(declared: Declared) -> Tool:
    if declared.type != "function" or declared.name is None:
        raise Refusal(400, "unsupported", Saying("refusal.block", kind=declared.type))
    given = declared.parameters
    parameters = msgspec.json.encode(given).decode() if given is not None else None
    return Tool(name=declared.name, description=declared.description, parameters=parameters)


def _choice(asked: str | dict[str, Any] | None, names: Sequence[str | None]) -> str | None:
    match asked:
        case "required" if names:
            return asked
        case None | "auto" | "none":
            return asked
        case {"name": str(name)} if name in names:
            return name
        case _:
            raise Refusal(400, "invalid_request", Saying("refusal.empty", what="tool_choice"), param="tool_choice")


def _schema(text: Text | None) -> str | None:
    form = text.format if text is not None else None
    if form is None or form.type == "text":
        return None
    return msgspec.json.encode(form.schema if form.schema is not None else {"type": "object"}).decode()
