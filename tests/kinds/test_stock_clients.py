"""Stock clients talk with models that have learnt to call a tool and to write down a word: what they say is checked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import jsonschema
import langchain_openai
import openai
import pytest

from tests.kinds.asked import TONE
from tests.kinds.clients import PATIENCE, ollama_at, openai_at
from tests.serve.server import serving
from tests.tiny import made
from tools.tiny import calling, heard
from tools.tiny.calling import ARGUMENTS, ASKED, CAME, PLAIN, SCHEMA, TOLD

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries and clients, about themselves
MODELS = pytest.mark.parametrize("model", ["gguf", "repository"])
FUNCTION = {"name": "weather", "description": "of a city", "parameters": SCHEMA}
TOOL: Any = {"type": "function", "function": FUNCTION}
USER: Any = [{"role": "user", "content": ASKED}]
LONGEST = 120
WEIGHED = {
    "type": "object",
    "properties": {
        "name": {"enum": ["scales", "cat"]},
        "heavy": {"type": "boolean"},
        "parts": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "minItems": 1, "maxItems": 3},
    },
    "required": ["name", "heavy", "parts"],
    "additionalProperties": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    talks = made(tmp_path_factory, "calling", calling.write)
    hears = made(tmp_path_factory, "ctranslate2", heard.write_ctranslate2) / "kept"
    places = {"gguf": talks / "model-F32.gguf", "repository": talks / "repository", "whisper": hears}
    config = tmp_path_factory.mktemp("stock") / "weigh.toml"
    config.write_text("".join(f"[models.{name}]\nreference = '{path}'\n" for name, path in places.items()))
    with serving("--config", str(config), "--context", str(calling.CONTEXT), "--parallel", "1") as found:
        yield found


@pytest.fixture
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai_at(address) as found:
        yield found


@pytest.fixture
def claude(address: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=address, api_key="none", max_retries=0, timeout=PATIENCE) as found:
        yield found


def is_asked(arguments: object) -> bool:
    """Whether it satisfies the tool's schema, and says what the model has learnt to say."""
    jsonschema.validate(arguments, SCHEMA)
    return arguments == ARGUMENTS


@MODELS
def test_openai_s_client_calls_a_tool_and_tells_what_came(client: openai.OpenAI, model: str) -> None:
    asked: dict[str, Any] = {"model": model, "tools": [TOOL], "temperature": 0, "max_tokens": LONGEST}
    choice = client.chat.completions.create(messages=USER, **asked).choices[0]
    (call,) = choice.message.tool_calls or ()
    assert choice.finish_reason == "tool_calls" and call.function.name == "weather"
    assert is_asked(json.loads(call.function.arguments))
    turns = [*USER, choice.message.model_dump(exclude_none=True)]
    turns.append({"role": "tool", "tool_call_id": call.id, "content": CAME})
    assert client.chat.completions.create(messages=turns, **asked).choices[0].message.content == TOLD
    with client.chat.completions.stream(messages=USER, **asked) as stream:
        streamed = stream.get_final_completion().choices[0].message.tool_calls or ()
    assert [is_asked(json.loads(one.function.arguments)) for one in streamed] == [True]


@MODELS
def test_a_schema_holds_in_every_family_s_words(address: str, client: openai.OpenAI, model: str) -> None:
    form: Any = {"name": "weighed", "schema": WEIGHED, "strict": True}
    chat = client.chat.completions.create(
        model=model, messages=USER, max_tokens=LONGEST, response_format={"type": "json_schema", "json_schema": form}
    )
    text: Any = {"format": {"type": "json_schema", **form}}
    response = client.responses.create(model=model, input=ASKED, max_output_tokens=LONGEST, text=text)
    with ollama_at(address) as other:
        local = other.chat(model, USER, format=WEIGHED, options={"num_predict": LONGEST})
    for said in (chat.choices[0].message.content, response.output_text, local.message.content):
        jsonschema.validate(json.loads(said or ""), WEIGHED)


@MODELS
def test_responses_call_a_tool_and_tell_what_came(client: openai.OpenAI, model: str) -> None:
    tool: Any = {"type": "function", **FUNCTION, "strict": False}
    asked: dict[str, Any] = {"model": model, "tools": [tool], "temperature": 0, "max_output_tokens": LONGEST}
    with client.responses.stream(input=ASKED, **asked) as stream:
        (call,) = stream.get_final_response().output
    assert call.type == "function_call" and is_asked(json.loads(call.arguments))
    came: Any = {"type": "function_call_output", "call_id": call.call_id, "output": CAME}
    again: Any = {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}
    assert client.responses.create(input=[*USER, again, came], **asked).output_text == TOLD


@MODELS
def test_anthropic_s_client_calls_a_tool_and_tells_what_came(claude: anthropic.Anthropic, model: str) -> None:
    tool = {"name": "weather", "description": "of a city", "input_schema": SCHEMA}
    asked: dict[str, Any] = {"model": model, "tools": [tool], "max_tokens": LONGEST, "extra_body": {"temperature": 0}}
    with claude.messages.stream(messages=USER, **asked) as stream:
        answer = stream.get_final_message()
    (call,) = answer.content
    assert answer.stop_reason == "tool_use" and call.type == "tool_use" and is_asked(call.input)
    turns = [
        *USER,
        {"role": "assistant", "content": [call.model_dump(exclude_none=True)]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": CAME}]},
    ]
    assert claude.messages.create(messages=turns, **asked).content[0].text == TOLD


@MODELS
def test_a_system_prompt_is_read(claude: anthropic.Anthropic, model: str) -> None:
    asked: dict[str, Any] = {"model": model, "max_tokens": 20, "extra_body": {"temperature": 0}, "messages": USER}
    plain, longer = claude.messages.create(**asked), claude.messages.create(**asked, system="Be short.")
    assert plain.content[0].text == PLAIN
    assert longer.usage.input_tokens > plain.usage.input_tokens


@MODELS
def test_ollama_s_client_calls_a_tool_and_tells_what_came(address: str, model: str) -> None:
    asked: dict[str, Any] = {"model": model, "tools": [TOOL], "options": {"temperature": 0, "num_predict": LONGEST}}
    with ollama_at(address) as client:
        message = client.chat(messages=USER, **asked).message
        (call,) = message.tool_calls or ()
        assert call.function.name == "weather" and is_asked(dict(call.function.arguments))
        turns = [*USER, message, {"role": "tool", "tool_name": "weather", "content": CAME}]
        parts = client.chat(messages=turns, **asked, stream=True)
        assert "".join(part.message.content or "" for part in parts) == TOLD


def test_ollama_s_client_lists_shows_and_generates(address: str) -> None:
    with ollama_at(address) as client:
        assert [one.model for one in client.list().models] == ["gguf", "repository", "whisper"]
        assert (client.show("gguf").modelinfo or {})["general.architecture"] == "qwen2"
        assert client.generate("gguf", ASKED, options={"temperature": 0}).response == PLAIN


@MODELS
def test_langchain_calls_a_tool_and_keeps_to_a_schema(address: str, model: str) -> None:
    chat = langchain_openai.ChatOpenAI(
        base_url=f"{address}/v1", api_key="none", model=model, temperature=0, max_retries=0, max_tokens=LONGEST
    )  # fmt: skip
    (call,) = chat.bind_tools([TOOL]).invoke(ASKED).tool_calls
    assert call["name"] == "weather" and is_asked(call["args"])
    assert "".join(part.content for part in chat.stream(ASKED)) == PLAIN
    kept = chat.with_structured_output({"title": "weighed", **WEIGHED}, method="json_schema").invoke(ASKED)
    jsonschema.validate(kept, WEIGHED)


WRITTEN = {
    "text": f"{heard.SAYING}\n",
    "srt": f"1\n00:00:00,000 --> 00:00:01,000\n{heard.SAYING}\n",
    "vtt": f"WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n{heard.SAYING}\n",
}


def test_a_transcript_comes_in_every_form(client: openai.OpenAI) -> None:
    whole: dict[str, Any] = {"model": "whisper", "file": ("tone.wav", TONE)}
    for form, written in WRITTEN.items():
        assert client.audio.transcriptions.create(**whole, response_format=form) == written
    assert client.audio.transcriptions.create(**whole, response_format="json").text == heard.SAYING
    told = client.audio.transcriptions.create(**whole, response_format="verbose_json")
    assert (told.duration, [one.text for one in told.segments or ()]) == (1.0, [heard.SAYING])
