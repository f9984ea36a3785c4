"""What an answer holds: how many, where it stops and by which sign, what was counted."""

from __future__ import annotations

import json
from collections.abc import Iterator

import anthropic
import httpx
import openai
import pytest

from tests.serve.server import Staged, serving, staging


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving("echo:") as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none") as client:
        yield client


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Staged]:
    with staging(tmp_path_factory.mktemp("answers")) as staged:
        yield staged


WORDS = [{"role": "user", "content": "one two three four"}]


def test_several_answers_are_counted_with_one_prompt(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="echo", messages=WORDS, n=3)  # type: ignore[arg-type]
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (4, 12)


def test_several_answers_stream_one_after_another(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="echo", messages=WORDS, n=2, stream=True))  # type: ignore[arg-type]
    said = ["", ""]
    for chunk in chunks:
        said[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert said == ["one two three four"] * 2
    assert [chunk.choices[0].index for chunk in chunks if chunk.choices[0].finish_reason] == [0, 1]


def test_each_prompt_of_a_list_is_answered(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="echo", prompt=["a b", "c"], n=2)
    assert [choice.text for choice in answer.choices] == ["a b", "a b", "c", "c"]
    assert answer.usage is not None and answer.usage.prompt_tokens == 3


@pytest.mark.parametrize(
    ("stop", "said"), [("three", "one two "), (["zzz", "wo th"], "one t"), ("four five", "one two three four")]
)
def test_a_sign_ends_it_wherever_words_are_cut(client: openai.OpenAI, stop: str | list[str], said: str) -> None:
    answer = client.chat.completions.create(model="echo", messages=WORDS, stop=stop)  # type: ignore[arg-type]
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == (said, "stop")


def test_anthropic_s_clients_hear_which_sign_ended_it(address: str) -> None:
    with anthropic.Anthropic(base_url=address, api_key="none") as client:
        asked = {"model": "echo", "max_tokens": 9, "messages": WORDS, "stop_sequences": ["zzz", "three"]}
        answer = client.messages.create(**asked)  # type: ignore[call-overload]
        assert (answer.stop_reason, answer.stop_sequence) == ("stop_sequence", "three")
        with client.messages.stream(**asked) as stream:
            assert stream.get_final_message().stop_sequence == "three"


def test_anthropic_s_clients_list_the_models(address: str) -> None:
    with anthropic.Anthropic(base_url=address, api_key="none") as client:
        model = client.models.list().data[0]
    assert (model.id, model.type, model.display_name) == ("echo", "model", "echo")


def test_ollama_s_clients_see_a_digest(address: str) -> None:
    model = httpx.get(f"{address}/api/tags").json()["models"][0]
    assert len(bytes.fromhex(model["digest"])) == 32


def test_tokens_of_reasoning_are_counted_apart(staged: Staged) -> None:
    asked = {"messages": [{"role": "user", "content": "call weather"}]}
    answer = httpx.post(f"{staged.address}/v1/chat/completions", json=asked, timeout=60).json()
    assert answer["choices"][0]["message"]["reasoning_content"] == "Let me see. "
    assert answer["usage"]["completion_tokens_details"] == {"reasoning_tokens": 2}


def test_a_picture_comes_as_a_url_where_one_is_asked_for(staged: Staged) -> None:
    asked = {"prompt": "a scale", "response_format": "url"}
    answer = httpx.post(f"{staged.address}/v1/images/generations", json=asked, timeout=60).json()
    assert answer["data"][0]["url"].startswith("data:image/png;base64,")


def test_what_is_no_http_leaves_the_log_lines_of_json(tmp_path: object, address: str) -> None:
    import socket
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    with (tmp_path / "log").open("w") as log, staging(tmp_path, log=log) as staged:
        host, _, port = staged.address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as line:
            line.sendall(b"\x00\x01nonsense\r\n\r\n")
            line.recv(100)
        httpx.get(f"{staged.address}/health")
    assert [json.loads(text)["path"] for text in (tmp_path / "log").read_text().splitlines()] == ["/health"]
