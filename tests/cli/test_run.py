"""`weigh run` at the command line: what it answers, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import pytest
from click.testing import CliRunner, Result

from tests.tiny import made
from tools.tiny import onnx_files, text
from weigh.cli.main import weigh


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "text", text.write)


def run(*arguments: str, typed: str | None = None) -> tuple[Result, int]:
    result = CliRunner().invoke(weigh, ["run", *arguments], input=typed, standalone_mode=False)
    assert result.exception is None, result.exception
    return result, int(result.return_value)


@pytest.mark.parametrize("model", ["model-F32.gguf", "repository"])
def test_a_question_is_answered(tiny: Path, model: str) -> None:
    result, status = run(str(tiny / model), "weigh", "--temperature", "0")
    assert (result.stdout, status) == (text.TEXT + "\n", 0)


def test_a_prompt_is_completed_and_told_as_json(tiny: Path) -> None:
    result, _ = run(
        str(tiny / "model-F32.gguf"),
        text.PROMPT,
        "--work",
        "complete",
        "--temperature",
        "0",
        "--max-tokens",
        "3",
        "--json",
    )
    answer = json.loads(result.stdout)
    assert text.TEXT.startswith(text.PROMPT + answer["text"])
    assert answer["finish_reason"] == "length" and answer["usage"]["completion_tokens"] == 3


def test_an_answer_keeps_to_a_schema_of_a_file(tiny: Path, tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"heavy": {"type": "boolean"}}, "required": ["heavy"]}
    (tmp_path / "schema.json").write_text(json.dumps(schema | {"additionalProperties": False}))
    result, _ = run(str(tiny / "model-F32.gguf"), "weigh", "--json-schema", str(tmp_path / "schema.json"))
    assert isinstance(json.loads(result.stdout)["heavy"], bool)


def test_a_chat_goes_on_until_the_input_ends() -> None:
    result, status = run("echo:", typed="one\n\ntwo words\n")
    assert (result.stdout, status) == ("one\ntwo words\n", 0)


def test_input_may_be_a_file_or_standard_input(tmp_path: Path) -> None:
    (tmp_path / "question.txt").write_text("from a file", "utf-8")
    assert run("echo:", str(tmp_path / "question.txt"))[0].stdout == "from a file\n"
    assert run("echo:", "-", typed="from outside")[0].stdout == "from outside\n"


def test_vectors_go_to_the_screen_as_json_and_to_a_file_as_numpy(tmp_path: Path) -> None:
    shown, _ = run("echo:", "one", "--document", "two", "--work", "embed")
    vectors = [json.loads(line) for line in shown.stdout.splitlines()]
    run("echo:", "one", "--document", "two", "--work", "embed", "--out", str(tmp_path / "vectors.npy"))
    kept = numpy.load(tmp_path / "vectors.npy")
    assert kept.shape == (2, 32) and kept.dtype == numpy.dtype("<f4")
    assert numpy.allclose(kept, vectors)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("echo:", "x", "--work", "video"), "does not video"),
        (("echo:", "x", "--engine", "vapour"), "vapour is no engine known here"),
        (("/no/such/model.gguf", "x"), "there is no such file"),
        (("echo:", "x", "--json-schema", "{"), "JSON Schema"),
        (("echo:", "x", "--size", "big"), "big is no size"),
        (("echo:", "x", "--image", "/no/such/picture"), "/no/such/picture"),
    ],
)
def test_what_cannot_be_is_one_line_and_status_2(arguments: tuple[str, ...], said: str) -> None:
    result, status = run(*arguments)
    assert status == 2 and said in result.stderr
    assert result.stderr.count("\n") == 1 and result.stdout == ""


def test_what_does_not_fit_into_the_context_is_said(tiny: Path) -> None:
    result, status = run(str(tiny / "model-F32.gguf"), "weigh " * 400, "--context", "128", "--lang", "zh")
    assert status == 2 and "超出模型的上下文长度" in result.stderr


def test_a_plain_model_computes_from_arrays_into_arrays(tmp_path: Path) -> None:
    onnx_files.plain(tmp_path / "plain.onnx")
    x, b = numpy.ones((4, 3), "f4"), numpy.zeros(2, "f4")
    numpy.savez(tmp_path / "inputs.npz", x=x, b=b)
    result, status = run(
        str(tmp_path / "plain.onnx"), str(tmp_path / "inputs.npz"), "--out", str(tmp_path / "outputs.npz")
    )
    assert status == 0 and result.stdout.splitlines()[:2] == ["y  float32 [4, 2]", "shape  int64 [2]"]
    with numpy.load(tmp_path / "outputs.npz") as made_of_them:
        assert made_of_them["y"].tolist() == [[9, 12]] * 4


@pytest.mark.parametrize(
    ("name", "data"),
    [("objects.npy", b"objects"), ("text.npz", b"PK\x03\x04 no archive"), ("cut.npy", b"\x93NUMPY\x01")],
)
def test_what_is_no_array_is_one_line(tmp_path: Path, name: str, data: bytes) -> None:
    onnx_files.plain(tmp_path / "plain.onnx")
    if data == b"objects":
        numpy.save(tmp_path / name, numpy.array([{"a": 1}], dtype=object))
    else:
        (tmp_path / name).write_bytes(data)
    result, status = run(str(tmp_path / "plain.onnx"), str(tmp_path / name))
    assert status == 2 and "without unpickling" in result.stderr and result.stderr.count("\n") == 1
