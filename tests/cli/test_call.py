"""`weigh.run`: the answer of a model as a value of Python."""

from __future__ import annotations

import asyncio
import doctest
from pathlib import Path

import numpy
import pytest

import weigh
from tests.tiny import made
from tools.tiny import onnx_files, text
from weigh.app.run import Asked
from weigh.core.errors import EngineError, SourceError, WeighError


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "text", text.write)


def test_a_text_is_a_text() -> None:
    assert weigh.run("echo:", "how heavy") == "how heavy"


def test_a_question_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "question.txt").write_text("how heavy")
    assert weigh.run("echo:", str(tmp_path / "question.txt")) == "how heavy"


def test_vectors_are_lists_a_text() -> None:
    vectors = weigh.run("echo:", weigh.Given(documents=("one", "two", "three")), work="embed")
    assert numpy.array(vectors).shape == (3, 32)


def test_a_model_of_this_machine_answers(tiny: Path) -> None:
    asked = Asked(threads=1, context_length=128)
    assert weigh.run(str(tiny / "model-F32.gguf"), "weigh", asked=asked) == text.TEXT


def test_a_file_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    onnx_files.plain(tmp_path / "plain.onnx")
    numpy.savez(tmp_path / "given.npz", x=numpy.ones((4, 3), "f4"), b=numpy.zeros(2, "f4"))
    told = weigh.run("plain.onnx", "given.npz", out="told.npz")
    assert told == "told.npz" and numpy.load(told)["y"].shape == (4, 2)
    assert weigh.run("plain.onnx", "given.npz") == "plain.npz"


def test_it_answers_where_a_loop_runs_already() -> None:
    async def asked() -> object:
        return weigh.run("echo:", "in a notebook")

    assert asyncio.run(asked()) == "in a notebook"


def test_what_is_not_here_is_not_fetched() -> None:
    with pytest.raises(SourceError, match=r"here\.offline"):
        weigh.run("hf:org/name", "x")


@pytest.mark.parametrize(("given", "key"), [("", "run.no_input"), (" ", "run.no_input")])
def test_nothing_is_no_question(given: str, key: str) -> None:
    with pytest.raises(WeighError, match=key.replace(".", r"\.")):
        weigh.run("echo:", given)


def test_a_model_that_cannot_raises() -> None:
    with pytest.raises(EngineError, match=r"run\.not_for_that"):
        weigh.run("echo:", "x", work="video")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_shows_what_it_gives(language: str) -> None:
    page = Path(__file__).parents[2] / "docs" / language / "run.md"
    assert doctest.testfile(str(page), module_relative=False, encoding="utf-8") == (0, 4)
