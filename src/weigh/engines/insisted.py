"""A tool that must be called, by a model whose own template knows no tools: its call is written by a JSON Schema."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator

import msgspec

from weigh.core.work import Chat, Delta, Done, Event, Message, Piece, Tool, ToolCall

Ask = Callable[[Chat], Iterable[Event]]


class _Call(msgspec.Struct):
    name: str
    arguments: msgspec.Raw


def must_call(job: Chat) -> bool:
    """Whether an answer without a call would be wrong."""
    return bool(job.tools) and job.tool_choice not in (None, "auto", "none")


def insisted(job: Chat, ask: Ask) -> Iterator[Event]:
    """The model's own call where it makes one, else one that is written by the schema of its tools."""
    events = list(ask(job))
    if any(isinstance(event, Delta) and event.tool_calls for event in events) or not isinstance(events[-1], Done):
        yield from events
        return
    yield from called(ask(by_schema(job)))


def by_schema(job: Chat) -> Chat:
    """The same without tools, told of them in words, for an answer that is a call."""
    tools = [tool for tool in job.tools if job.tool_choice in ("required", tool.name)]
    told = "\n".join(f"{tool.name}: {tool.description or ''} {tool.parameters or ''}" for tool in tools)
    schema = msgspec.json.encode({"anyOf": [_schema(tool) for tool in tools]}).decode()
    system = Message(role="system", pieces=(Piece(text=f'Answer with {{"name": ..., "arguments": ...}}:\n{told}'),))
    return msgspec.structs.replace(job, tools=(), tool_choice=None, schema=schema, messages=_with(system, job.messages))


def called(events: Iterable[Event]) -> Iterator[Event]:
    """The text as the call it is; what was cut short stays text."""
    text = ""
    for event in events:
        match event:
            case Delta():
                text += event.text
            case Done():
                yield from _ended(text, event)
            case _:
                yield event


def _ended(text: str, done: Done) -> Iterator[Event]:
    try:
        call = msgspec.json.decode(text, type=_Call)
    except msgspec.DecodeError:
        yield Delta(text=text)
        yield done
        return
    arguments = bytes(call.arguments).decode()
    yield Delta(tool_calls=(ToolCall(id=f"call_{secrets.token_hex(8)}", name=call.name, arguments=arguments),))
    yield msgspec.structs.replace(done, finish_reason="tool_calls")


def _schema(tool: Tool) -> dict[str, object]:
    parameters = msgspec.json.decode(tool.parameters) if tool.parameters else {"type": "object"}
    properties = {"name": {"const": tool.name}, "arguments": parameters}
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def _with(system: Message, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """After the system's own words: many templates take one turn of it."""
    if messages and messages[0].role == "system":
        first = messages[0]
        joined = (*first.pieces, Piece(text="\n\n"), *system.pieces)
        return (msgspec.structs.replace(first, pieces=joined), *messages[1:])
    return (system, *messages)
