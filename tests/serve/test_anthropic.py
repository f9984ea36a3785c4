"""Anthropic's own client against the server."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import anthropic
import pytest

from tests.serve.server import staging

TOOL = {"name": "weather", "description": "of a city", "input_schema": {"type": "object", "properties": {}}}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[anthropic.Anthropic]:
    with (
        staging(tmp_path_factory.mktemp("stage")) as staged,
        anthropic.Anthropic(base_url=staged.address, api_key="none", max_retries=0) as client,
    ):
        yield client


def ask(client: anthropic.Anthropic, text: object, **more: object) -> anthropic.types.Message:
    messages = [{"role": "user", "content": text}]
    return client.messages.create(model="stage", max_tokens=50, messages=messages, **more)  # type: ignore[no-any-return, call-overload]


def test_a_message_is_answered(client: anthropic.Anthropic) -> None:
    answer = ask(client, "hello there")
    assert [(block.type, block.text) for block in answer.content] == [("text", "hello there")]
    assert (answer.stop_reason, answer.usage.input_tokens) == ("end_turn", 5)


def test_a_stream_adds_up_to_the_message(client: anthropic.Anthropic) -> None:
    messages = [{"role": "user", "content": "slow 3"}]
    with client.messages.stream(model="stage", max_tokens=50, messages=messages) as stream:
        assert "".join(stream.text_stream) == "0 1 2 "
        assert stream.get_final_message().stop_reason == "end_turn"


def test_a_tool_is_called_with_its_arguments(client: anthropic.Anthropic) -> None:
    answer = ask(client, "call weather", tools=[TOOL])
    assert [block.type for block in answer.content] == ["thinking", "text", "tool_use"]
    assert (answer.content[2].name, answer.content[2].input) == ("weather", {"city": "Paris"})
    assert answer.stop_reason == "tool_use"
    assert (answer.usage.input_tokens, answer.usage.cache_read_input_tokens) == (5, 4)


def test_a_tool_is_called_in_a_stream(client: anthropic.Anthropic) -> None:
    messages = [{"role": "user", "content": "call weather"}]
    with client.messages.stream(model="stage", max_tokens=50, messages=messages, tools=[TOOL]) as stream:
        answer = stream.get_final_message()
    assert [block.type for block in answer.content] == ["thinking", "text", "tool_use"]
    assert answer.content[2].input == {"city": "Paris"}


def test_system_tools_and_pictures_reach_the_model(client: anthropic.Anthropic) -> None:
    picture = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": base64.b64encode(b"png").decode()},
    }
    assert ask(client, [picture, {"type": "text", "text": " seen"}]).content[0].text == "<3> seen"
    turns = [
        {"role": "user", "content": "call weather"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "weather", "input": {}}]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "rain"},
                {"type": "text", "text": "who"},
            ],
        },
    ]
    answer = client.messages.create(model="stage", max_tokens=9, system="be short", messages=turns)
    assert answer.content[0].text == "[('system', 1), ('user', 1), ('assistant', 0), ('tool', 1), ('user', 1)]"


def test_an_answer_cut_short_says_so(client: anthropic.Anthropic) -> None:
    assert ask(client, "long").stop_reason == "max_tokens"


def test_tokens_are_counted(client: anthropic.Anthropic) -> None:
    counted = client.messages.count_tokens(model="stage", messages=[{"role": "user", "content": "hello"}])
    assert counted.input_tokens == 5


def test_what_does_not_fit_is_an_error(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="5000 tokens"):
        ask(client, "overflow")
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(model="nobody", max_tokens=5, messages=[{"role": "user", "content": "hello"}])
