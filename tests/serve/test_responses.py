"""OpenAI's own client against the route of responses."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from tests.serve.server import staging

TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": False}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    with (
        staging(tmp_path_factory.mktemp("stage")) as staged,
        openai.OpenAI(base_url=f"{staged.address}/v1", api_key="none", max_retries=0) as client,
    ):
        yield client


def test_a_text_is_answered(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="stage", input="hello there", instructions="be short")
    assert (answer.output_text, answer.status) == ("hello there", "completed")
    assert answer.usage is not None and answer.usage.input_tokens == 5


def test_a_stream_is_numbered_and_adds_up(client: openai.OpenAI) -> None:
    events = list(client.responses.create(model="stage", input="slow 3", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "0 1 2 "
    assert events[-1].type == "response.completed" and events[-1].response.output_text == "0 1 2 "


def test_the_clients_own_helper_follows_the_stream(client: openai.OpenAI) -> None:
    with client.responses.stream(model="stage", input="call weather", tools=[TOOL]) as stream:
        answer = stream.get_final_response()
    assert [item.type for item in answer.output] == ["reasoning", "message", "function_call"]
    assert answer.output[2].arguments == '{"city": "Paris"}'


def test_a_tools_answer_goes_back_to_the_model(client: openai.OpenAI) -> None:
    items = [
        {"role": "developer", "content": "be short"},
        {"role": "user", "content": [{"type": "input_text", "text": "call weather"}]},
        {"type": "function_call", "call_id": "a", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "a", "output": "rain"},
        {"role": "user", "content": "who"},
    ]
    answer = client.responses.create(model="stage", input=items)
    assert answer.output_text == "[('system', 1), ('user', 1), ('assistant', 0), ('tool', 1), ('user', 1)]"


def test_an_answer_cut_short_says_so(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="stage", input="long")
    assert answer.status == "incomplete"
    assert answer.incomplete_details is not None and answer.incomplete_details.reason == "max_output_tokens"


def test_an_engine_that_dies_is_told_in_the_stream(client: openai.OpenAI) -> None:
    events = list(client.responses.create(model="stage", input="die", stream=True))
    assert [event.type for event in events[-2:]] == ["response.failed", "error"]
    assert "fell down" in events[-1].message


def test_an_answer_of_before_is_not_kept(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        client.responses.create(model="stage", input="and then?", previous_response_id="resp_1")
