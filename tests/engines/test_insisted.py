"""A tool that must be called is called: by the model, or by a schema of what a call is."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from weigh.core.work import Chat, Delta, Done, Event, Fault, Message, Piece, Tool, ToolCall
from weigh.engines.insisted import by_schema, called, insisted, must_call

TOOLS = (Tool(name="look", parameters='{"type": "object", "required": ["at"]}'), Tool(name="wait"))
HELLO = Message(role="user", pieces=(Piece(text="hello"),))


def asked(choice: str | None = "required", *before: Message) -> Chat:
    return Chat(messages=(*before, HELLO), tools=TOOLS, tool_choice=choice)


@pytest.mark.parametrize(
    ("choice", "is_so"), [(None, False), ("auto", False), ("none", False), ("required", True), ("look", True)]
)
def test_only_a_demand_is_insisted_on(choice: str | None, is_so: bool) -> None:
    assert must_call(asked(choice)) is is_so


def test_a_model_that_calls_by_itself_is_heard() -> None:
    call = Delta(tool_calls=(ToolCall(name="wait", arguments="{}"),))
    assert list(insisted(asked(), lambda job: [call, Done()])) == [call, Done()]


def test_what_went_wrong_is_told_and_not_asked_again() -> None:
    assert list(insisted(asked(), lambda job: [Fault(kind="failed")])) == [Fault(kind="failed")]


def test_a_model_that_only_talks_is_asked_by_a_schema() -> None:
    def ask(job: Chat) -> Iterator[Event]:
        yield Delta(text='{"name": "look", "arguments": {"at": 1}}' if job.schema else "I would rather talk")
        yield Done()

    delta, done = insisted(asked(), ask)
    assert isinstance(delta, Delta) and isinstance(done, Done)
    (call,) = delta.tool_calls
    assert (call.name, json.loads(call.arguments), done.finish_reason) == ("look", {"at": 1}, "tool_calls")


def test_the_schema_is_of_the_tool_that_was_named() -> None:
    job = by_schema(asked("look"))
    (one,) = json.loads(job.schema or "")["anyOf"]
    assert one["properties"] == {"name": {"const": "look"}, "arguments": {"type": "object", "required": ["at"]}}
    assert job.tools == () and job.tool_choice is None


def test_the_system_s_turn_stays_one() -> None:
    system = Message(role="system", pieces=(Piece(text="be brief"),))
    assert [message.role for message in by_schema(asked("look", system)).messages] == ["system", "user"]


def test_a_call_that_was_cut_short_stays_text() -> None:
    ended = Done(finish_reason="length")
    assert list(called([Delta(text='{"name": "lo'), ended])) == [Delta(text='{"name": "lo'), ended]
