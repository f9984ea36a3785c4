"""OpenAI's own client against the server."""

from __future__ import annotations

import json
from collections.abc import Iterator

import openai
import pytest

from tests.serve.server import serving
from tests.tiny import made
from tools.tiny import text

WEIGH = [{"role": "user", "content": "weigh"}]
SCHEMA = {
    "type": "object",
    "properties": {"heavy": {"type": "boolean"}},
    "required": ["heavy"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    tiny = made(tmp_path_factory, "text", text.write)
    with (
        serving("echo:", str(tiny / "model-F32.gguf"), str(tiny / "repository"), "--context", "256") as address,
        openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
    ):
        yield client


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["echo", "model-F32", "repository"]
    assert client.models.retrieve("echo").id == "echo"


@pytest.mark.parametrize("model", ["model-F32", "repository"])
def test_a_chat_repeats_what_it_has_learnt(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(model=model, messages=WEIGH, temperature=0, max_tokens=60)
    assert answer.choices[0].message.content == text.TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None and answer.usage.completion_tokens > 20


@pytest.mark.parametrize("model", ["model-F32", "repository"])
def test_a_stream_adds_up_to_the_same(client: openai.OpenAI, model: str) -> None:
    stream = client.chat.completions.create(
        model=model, messages=WEIGH, temperature=0, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == text.TEXT
    assert chunks[-1].usage is not None and chunks[-1].usage.completion_tokens > 20


@pytest.mark.parametrize("model", ["model-F32", "repository"])
def test_a_completion_stops_at_the_sign(client: openai.OpenAI, model: str) -> None:
    answer = client.completions.create(model=model, prompt=text.PROMPT, temperature=0, stop=" put on")
    assert answer.choices[0].text == " Libra weigh what is"


@pytest.mark.parametrize("model", ["model-F32", "repository"])
def test_an_answer_keeps_to_a_schema(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(
        model=model,
        messages=WEIGH,
        response_format={"type": "json_schema", "json_schema": {"name": "weight", "schema": SCHEMA, "strict": True}},
    )
    assert isinstance(json.loads(answer.choices[0].message.content or "")["heavy"], bool)


@pytest.mark.parametrize("model", ["model-F32", "repository"])
def test_likelihoods_are_told(client: openai.OpenAI, model: str) -> None:
    answer = client.chat.completions.create(
        model=model, messages=WEIGH, temperature=0, max_tokens=3, logprobs=True, top_logprobs=2
    )
    told = answer.choices[0].logprobs
    assert told is not None and told.content is not None and len(told.content) == 3
    assert all(one.logprob > -0.5 and len(one.top_logprobs) == 2 for one in told.content)


@pytest.mark.parametrize("model", ["model-F32", "repository"])
def test_what_does_not_fit_is_an_error_and_never_cut(client: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "weigh " * 400}])
    assert caught.value.code == "context_length_exceeded"


def test_vectors_come_as_the_client_likes_them(client: openai.OpenAI) -> None:
    packed = client.embeddings.create(model="echo", input=["one", "two"])
    plain = client.embeddings.create(model="echo", input=["one", "two"], encoding_format="float")
    assert [row.embedding for row in packed.data] == [row.embedding for row in plain.data]


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"model": "nobody", "messages": WEIGH}, 404, "model_not_found"),
        ({"model": "echo", "messages": []}, 400, "invalid_request"),
        ({"model": "echo", "messages": "hello"}, 400, "invalid_request"),
        ({"model": "echo", "messages": WEIGH, "logit_bias": {"1": 1}}, 400, "unsupported"),
        (
            {
                "model": "echo",
                "messages": [
                    {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://127.0.0.1/x"}}]}
                ],
            },
            400,
            "invalid_request",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(
    client: openai.OpenAI, asked: dict[str, object], status: int, code: str
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        client.post("/chat/completions", body=asked, cast_to=object)
    assert caught.value.status_code == status
    assert caught.value.code == code
