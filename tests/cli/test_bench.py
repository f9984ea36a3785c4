"""`weigh bench REF`: what it tells, and what becomes of later predictions. Nothing here asserts on a speed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.tiny import made
from tools.tiny import embedders, heard, seen, text
from weigh.cli.main import weigh
from weigh.knowledge.measured import Measured, Pace, is_sound


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory, "text", text.write)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's data folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "weigh" / "measured.json"


def weighed(*arguments: str) -> tuple[Result, int]:
    result = CliRunner().invoke(weigh, [*arguments], standalone_mode=False)
    assert result.exception is None, result.exception
    return result, int(result.return_value)


def bench(*arguments: str) -> dict[str, Any]:
    result, status = weighed("bench", *arguments, "--json", "--runs", "3", "--prompt", "8", "--tokens", "4")
    assert status == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def predicted(model: Path) -> dict[str, Any]:
    result, _ = weighed("fit", str(model), "--on", "cpu", "--no-exact", "--json")
    fit: dict[str, Any] = json.loads(result.stdout)["fits"][0]
    return fit


def test_a_text_model_is_measured_beside_what_was_predicted(tiny: Path) -> None:
    document = bench(str(tiny / "model-F32.gguf"))
    figures = {figure["name"]: figure for figure in document["figures"]}
    assert figures.keys() == {"first_token", "prefill", "decode"}
    for figure in figures.values():
        assert len(figure["runs"]) == 3 and figure["low"] <= figure["median"] <= figure["high"]
    decode = figures["decode"]
    assert decode["ratio"] == pytest.approx(decode["median"] / decode["predicted"]["typical"], rel=1e-3, abs=1e-4)
    assert document["saved"] is None and document["basis"] == "header"


@pytest.mark.parametrize(("work", "name"), [("chat", "first_token"), ("embed", "embeddings")])
def test_what_fit_does_not_predict_is_measured_alone(work: str, name: str) -> None:
    document = bench("echo:", "--work", work)
    figure = next(figure for figure in document["figures"] if figure["name"] == name)
    assert len(figure["runs"]) == 3 and "predicted" not in figure and document["device"] is None


@pytest.mark.parametrize(
    ("write", "model", "name"),
    [
        (embedders.write, "embedders/reranker", "documents"),
        (heard.write, "heard/vits", "audio"),
        (seen.write, "seen/classifier", "pictures"),
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")  # of torch, while the model is made
def test_each_kind_has_a_speed_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, write: Callable[[Path], None], model: str, name: str
) -> None:
    folder, _, inside = model.partition("/")
    (figure,) = bench(str(made(tmp_path_factory, folder, write) / inside))["figures"]
    assert figure["name"] == name and figure["median"] > 0


@pytest.mark.parametrize(("lang", "said"), [("en", "tokens a second"), ("zh", "生成速度（token/秒）")])
def test_it_is_told_in_both_languages(tiny: Path, lang: str, said: str) -> None:
    arguments = ("--runs", "1", "--prompt", "4", "--tokens", "3", "--lang", lang)
    result, _ = weighed("bench", str(tiny / "model-F32.gguf"), *arguments)
    assert said in result.stdout and "model-F32" in result.stdout


def test_what_is_saved_changes_what_is_predicted_later(tiny: Path, data: Path) -> None:
    model = tiny / "model-F32.gguf"
    before = predicted(model)
    document = bench(str(model), "--save", "--threads", "1")
    assert document["saved"] == str(data)
    after = predicted(model)
    measured = next(figure for figure in document["figures"] if figure["name"] == "decode")
    assert (before["basis"], after["basis"]) == ("header", "measured.header")
    assert after["speed"]["decode"]["typical"] == pytest.approx(measured["median"], rel=0.01)
    low, typical, high = (after["speed"]["decode"][key] for key in ("low", "typical", "high"))
    assert low <= typical <= high and after["memory"] == before["memory"]
    shown, _ = weighed("fit", str(model), "--on", "cpu", "--no-exact", "--lang", "en")
    assert "measured here" in " ".join(shown.stdout.split())
    again = bench(str(model), "--save")
    assert len(json.loads(data.read_text())["rows"]) == 1
    assert again["basis"] == "measured.header"


def test_a_short_prompt_says_nothing_of_how_prompts_are_read(tiny: Path, data: Path) -> None:
    bench(str(tiny / "model-F32.gguf"), "--save")
    (row,) = json.loads(data.read_text())["rows"]
    assert row["decode"]["median"] > 0 and "prefill" not in row


def test_another_device_is_predicted_as_before(tiny: Path, data: Path) -> None:
    bench(str(tiny / "model-F32.gguf"), "--save")
    result, _ = weighed("fit", str(tiny / "model-F32.gguf"), "--on", "RTX 4090", "--no-exact", "--json")
    assert json.loads(result.stdout)["fits"][0]["basis"] == "header"


SOUND = Measured(
    device="d", engine="e", model="m", weights=1, day="2026-01-01", runs=3,
    decode=Pace(predicted=10, low=8, median=9, high=10),
)  # fmt: skip
ABSURD = """
    {"decode": {"predicted": 10, "low": 8e3, "median": 9e300, "high": 9e300}}
    {"decode": {"predicted": 0, "low": 1, "median": 1, "high": 1}}
    {"decode": {"predicted": 10, "low": -1, "median": 1, "high": 1}}
    {"decode": {"predicted": 10, "low": 3, "median": 1, "high": 2}}
    {"decode": {"predicted": 1e-3, "low": 1e4, "median": 1e4, "high": 1e4}}
    {"decode": null}
    {"device": "\\u001b[31m"}
    {"weights": 0}
    {"runs": -3}
    {"extra": 1}
    []
"""


def test_a_row_that_can_be_is_sound() -> None:
    assert is_sound(SOUND)


@pytest.mark.parametrize("change", [line.strip() for line in ABSURD.strip().splitlines()])
def test_an_absurd_row_is_left_out_and_said(tiny: Path, data: Path, change: str) -> None:
    fit = predicted(tiny / "model-F32.gguf")
    row = {
        "device": fit["device"], "engine": fit["engine"], "model": "m", "weights": fit["memory"]["weights"],
        "day": "2026-01-01", "runs": 3, "decode": {"predicted": 10, "low": 8, "median": 9, "high": 10},
    }  # fmt: skip
    changed = json.loads(change)
    data.parent.mkdir(parents=True)
    data.write_text(json.dumps({"form": 1, "rows": [row | changed if isinstance(changed, dict) else changed]}))
    result, status = weighed("fit", str(tiny / "model-F32.gguf"), "--on", "cpu", "--no-exact", "--json", "--lang", "en")
    after = json.loads(result.stdout)["fits"][0]
    assert (status, after["speed"], after["basis"]) == (0, fit["speed"], "header")
    assert "1 rows of measured speed cannot be" in result.stderr


@pytest.mark.parametrize("content", [b"", b"[]", b'{"form": 2, "rows": []}', b"\xff", b"[" * 100_000])
def test_a_file_that_is_none_of_ours_changes_nothing(tiny: Path, data: Path, content: bytes) -> None:
    fit = predicted(tiny / "model-F32.gguf")
    data.parent.mkdir(parents=True)
    data.write_bytes(content)
    result, status = weighed("fit", str(tiny / "model-F32.gguf"), "--on", "cpu", "--no-exact", "--json", "--lang", "en")
    after = json.loads(result.stdout)["fits"][0]
    assert (status, after["speed"], after["basis"]) == (0, fit["speed"], "header")
    assert "delete the file" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("echo:", "--save"), "predicts no speed"),
        (("echo:", "--work", "video"), "does not video"),
        (("/no/such/model",), "there is no such file"),
    ],
)
def test_what_cannot_be_is_one_line_and_status_2(arguments: tuple[str, ...], said: str, data: Path) -> None:
    result, status = weighed("bench", *arguments, "--lang", "en")
    assert status == 2 and said in result.stderr and result.stderr.count("\n") == 1
    assert not data.exists()
