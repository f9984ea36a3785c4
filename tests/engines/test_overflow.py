"""What is longer than a model's context is an error, never cut; and signs end a text within a token too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.asking import run
from tests.tiny import made
from tools.tiny import embedders, text
from weigh.app.run import Asked
from weigh.core.work import Chat, Complete, Done, Embed, Fault, Job, Message, Piece, Rerank, Sampling

pytestmark = pytest.mark.filterwarnings("ignore")
LONG = "weigh " * 5000


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "embedders", embedders.write)


@pytest.mark.parametrize(
    ("name", "job"),
    [
        ("embedder", Embed(pieces=(Piece(text="short"), Piece(text=LONG)))),
        ("reranker", Rerank(query="scales", documents=("short", LONG))),
    ],
)
def test_a_text_too_long_for_its_model_is_never_cut(ranked: Path, name: str, job: Job) -> None:
    (event,) = run(ranked / name, job)
    assert isinstance(event, Fault) and event.kind == "context_overflow"


@pytest.mark.parametrize("name", ["model-F32.gguf", "repository"])
@pytest.mark.parametrize("stop", ["才", "，才", "igh wh"])
def test_a_sign_within_a_token_ends_the_text_and_is_told(
    tmp_path_factory: pytest.TempPathFactory, name: str, stop: str
) -> None:
    model = made(tmp_path_factory, "text", text.write) / name
    sampling = Sampling(temperature=0, max_tokens=120, stop=("never", stop))
    *deltas, done = run(model, Complete(prompt=text.PROMPT, sampling=sampling), Asked(context_length=256))
    assert text.PROMPT + "".join(delta.text for delta in deltas) == text.TEXT.split(stop)[0]
    assert isinstance(done, Done) and (done.finish_reason, done.stopped_by) == ("stop", stop)
    assert 0 < done.usage.completion_tokens < 60 and done.usage.prompt_tokens > 2


def test_a_prompt_of_no_tokens_is_no_failure_of_the_engine(tmp_path_factory: pytest.TempPathFactory) -> None:
    model = made(tmp_path_factory, "text", text.write) / "repository"
    (event,) = run(model, Complete(prompt=""))
    assert isinstance(event, Fault) and event.kind == "bad_input"


def test_a_picture_for_a_model_of_text_is_no_failure_of_the_engine(tmp_path_factory: pytest.TempPathFactory) -> None:
    model = made(tmp_path_factory, "text", text.write) / "model-F32.gguf"
    turn = Message(role="user", pieces=(Piece(image=b"\x89PNG"),))
    (event,) = run(model, Chat(messages=(turn,)), Asked(context_length=256))
    assert isinstance(event, Fault) and event.kind == "bad_input"
