"""Ollama's own client against the server."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import ollama
import pytest

from tests.serve.server import serving, staging
from tests.tiny import made
from tools.tiny import text

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ollama.Client]:
    with staging(tmp_path_factory.mktemp("stage"), "stage", "other") as staged:
        client = ollama.Client(staged.address)
        yield client
        client.close()


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_a_chat_comes_whole_or_streamed(client: ollama.Client) -> None:
    assert client.chat("stage", user("hello there")).message.content == "hello there"
    parts = list(client.chat("stage", user("slow 3"), stream=True))
    assert "".join(part.message.content or "" for part in parts) == "0 1 2 "
    assert parts[-1].done and parts[-1].done_reason == "stop" and parts[-1].prompt_eval_count == 5


def test_a_text_comes_whole_or_streamed(client: ollama.Client) -> None:
    assert client.generate("stage", "hello there").response == "hello there"
    assert "".join(part.response for part in client.generate("stage", "slow 3", stream=True)) == "0 1 2 "
    assert client.generate("stage", "before", suffix="after").response == "[before|after]"
    assert client.generate("stage", "as it is", raw=True).response == "[as it is|]"


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_is_called_with_its_arguments(client: ollama.Client, stream: bool) -> None:
    answer = client.chat("stage", user("call weather"), tools=[TOOL], stream=stream)
    parts = list(answer) if stream else [answer]
    calls = [call for part in parts for call in part.message.tool_calls or ()]
    assert [(call.function.name, call.function.arguments) for call in calls] == [("weather", {"city": "Paris"})]
    assert "".join(part.message.thinking or "" for part in parts) == "Let me see. "


def test_a_picture_reaches_the_model(client: ollama.Client) -> None:
    picture = base64.b64encode(b"png").decode()
    assert (
        client.chat("stage", [{"role": "user", "content": " seen", "images": [picture]}]).message.content == "<3> seen"
    )


def test_texts_become_vectors(client: ollama.Client) -> None:
    assert len(client.embed("stage", ["one", "two"]).embeddings) == 2
    assert client.embeddings("stage", "one").embedding == pytest.approx([0.6, 0.8])


def test_models_are_listed_shown_and_kept_as_long_as_asked(client: ollama.Client) -> None:
    assert [model.model for model in client.list().models] == ["stage", "other"]
    client.generate("other", keep_alive=-1)
    assert "other" in [model.model for model in client.ps().models]
    client.generate("other", keep_alive=0)
    assert "other" not in [model.model for model in client.ps().models]


def test_what_cannot_be_is_an_error(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="nobody") as caught:
        client.chat("nobody", user("hello"))
    assert caught.value.status_code == 404
    with pytest.raises(ollama.ResponseError, match="5000 tokens"):
        client.chat("stage", user("overflow"))
    with pytest.raises(ollama.ResponseError, match="fell down"):
        list(client.chat("stage", user("die"), stream=True))


def test_a_gguf_file_repeats_what_it_has_learnt(tmp_path_factory: pytest.TempPathFactory) -> None:
    tiny = made(tmp_path_factory, "text", text.write)
    with serving(str(tiny / "model-F32.gguf"), "--context", "256") as address:
        client = ollama.Client(address)
        answer = client.chat("model-F32:latest", user("weigh"), options={"temperature": 0, "num_predict": 60})
        assert answer.message.content == text.TEXT
        shown = client.show("model-F32")
        assert shown.details is not None and shown.details.format == "gguf"
        assert shown.capabilities == ["completion", "insert", "embedding"]
        schema = {"type": "object", "properties": {"heavy": {"type": "boolean"}}, "required": ["heavy"]}
        kept = client.chat("model-F32", user("weigh"), format=schema, options={"num_predict": 100})
        assert isinstance(json.loads(kept.message.content or "")["heavy"], bool)
        client.close()
