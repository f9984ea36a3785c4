"""What a model has learnt by heart comes to the letter through every file it is written to and every route."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anthropic
import ollama
import openai
import pytest
from click.testing import CliRunner

from tests.serve.server import serving
from tests.serve.test_kinds import by
from tests.tiny import made
from tools.tiny import onnx_decoders, text
from weigh.cli.main import weigh

USER: list[Any] = [{"role": "user", "content": "weigh"}]
GREEDY = {"temperature": 0, "num_predict": 80}
# A file of the gguf library, a repository, and the same as ONNX without a cache and with one.
MODELS = ("model-F32", "repository", "uncached", "cached")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    learnt = made(tmp_path_factory, "text", by("text"))
    graphs = made(tmp_path_factory, "onnx_decoders", functools.partial(onnx_decoders.write, text=learnt))
    return {
        "model-F32": learnt / "model-F32.gguf",
        "repository": learnt / "repository",
        **{name: graphs / name for name in ("uncached", "cached", "split", "merged")},
    }


@pytest.fixture(scope="module")
def address(folders: dict[str, Path]) -> Iterator[str]:
    with serving(*(str(folders[name]) for name in MODELS), "--context", "256") as address:
        yield address


def completion(address: str, model: str, stream: bool) -> str:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        answer: Any = client.completions.create(
            model=model, prompt=text.PROMPT, temperature=0, max_tokens=80, stream=stream
        )
        parts = list(answer) if stream else [answer]
    return text.PROMPT + "".join(choice.text for part in parts for choice in part.choices)


def chat(address: str, model: str, stream: bool) -> str:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        answer: Any = client.chat.completions.create(
            model=model, messages=USER, temperature=0, max_tokens=80, stream=stream
        )
        if not stream:
            return answer.choices[0].message.content
        return "".join(choice.delta.content or "" for part in answer for choice in part.choices)


def response(address: str, model: str, stream: bool) -> str:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        answer: Any = client.responses.create(
            model=model, input="weigh", temperature=0, max_output_tokens=80, stream=stream
        )
        if not stream:
            return answer.output_text
        return "".join(event.delta for event in answer if event.type == "response.output_text.delta")


def message(address: str, model: str, stream: bool) -> str:
    with anthropic.Anthropic(base_url=address, api_key="none", max_retries=0) as client:
        asked: dict[str, Any] = {"model": model, "messages": USER, "max_tokens": 80, "extra_body": {"temperature": 0}}
        if not stream:
            return "".join(block.text for block in client.messages.create(**asked).content)
        with client.messages.stream(**asked) as answer:
            return "".join(answer.text_stream)


def ollama_chat(address: str, model: str, stream: bool) -> str:
    with closing(ollama.Client(address)) as client:
        answer: Any = client.chat(model, USER, options=GREEDY, stream=stream)
        parts = list(answer) if stream else [answer]
    return "".join(part.message.content or "" for part in parts)


def ollama_generate(address: str, model: str, stream: bool) -> str:
    with closing(ollama.Client(address)) as client:
        answer: Any = client.generate(model, "weigh", options=GREEDY, stream=stream)
        parts = list(answer) if stream else [answer]
    return "".join(part.response for part in parts)


def ollama_raw(address: str, model: str, stream: bool) -> str:
    with closing(ollama.Client(address)) as client:
        answer: Any = client.generate(model, text.PROMPT, raw=True, options=GREEDY, stream=stream)
        parts = list(answer) if stream else [answer]
    return text.PROMPT + "".join(part.response for part in parts)


ROUTES = (completion, chat, response, message, ollama_chat, ollama_generate, ollama_raw)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.__name__)
@pytest.mark.parametrize("model", MODELS)
def test_a_text_that_was_learnt_comes_back_to_the_letter(
    address: str, model: str, route: Callable[[str, str, bool], str], stream: bool
) -> None:
    assert route(address, model, stream) == text.TEXT


@pytest.mark.parametrize("model", ["uncached", "cached", "split", "merged"])
def test_a_command_says_it_to_the_letter_from_onnx(folders: dict[str, Path], model: str) -> None:
    asked = ["run", str(folders[model]), "--temperature", "0"]
    answered = CliRunner().invoke(weigh, [*asked, "weigh"], standalone_mode=False)
    assert (answered.stdout, answered.return_value) == (text.TEXT + "\n", 0), answered.output
    completed = CliRunner().invoke(weigh, [*asked, text.PROMPT, "--work", "complete"], standalone_mode=False)
    assert (text.PROMPT + completed.stdout, completed.return_value) == (text.TEXT + "\n", 0), completed.output


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", MODELS)
def test_a_completion_tells_how_likely_each_token_was(address: str, model: str, stream: bool) -> None:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        answer: Any = client.completions.create(
            model=model, prompt=text.PROMPT, temperature=0, max_tokens=4, logprobs=2, stream=stream
        )
        parts = list(answer) if stream else [answer]
    told = [choice.logprobs for part in parts for choice in part.choices if choice.logprobs is not None]
    assert [token for one in told for token in one.tokens] == [" Li", "bra", " wei", "gh"]
    assert [at for one in told for at in one.text_offset] == [0, 3, 6, 10]
    chances = [chance for one in told for chance in one.token_logprobs]
    likeliest = [chance for one in told for chance in one.top_logprobs]
    assert all(-0.1 < chance < 0 for chance in chances)
    assert [max(one.values()) for one in likeliest] == chances and {len(one) for one in likeliest} == {2}


@pytest.mark.parametrize("model", MODELS)
def test_a_chat_tells_of_its_own_tokens_alone_where_no_others_are_asked_for(address: str, model: str) -> None:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0, timeout=60) as client:
        answer = client.chat.completions.create(
            model=model, messages=USER, temperature=0, max_tokens=3, logprobs=True
        ).choices[0]
    assert answer.logprobs is not None and answer.logprobs.content is not None
    assert [(one.token, one.top_logprobs) for one in answer.logprobs.content] == [
        ("The", []),
        (" scal", []),
        ("es", []),
    ]
    assert all(-0.1 < one.logprob < 0 for one in answer.logprobs.content)


def test_the_prompt_s_own_likelihoods_are_refused_and_not_left_out(address: str) -> None:
    with (
        openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
        pytest.raises(openai.BadRequestError, match="prompt itself") as caught,
    ):
        client.completions.create(model="cached", prompt=text.PROMPT, echo=True, logprobs=1)
    assert caught.value.code == "unsupported"
