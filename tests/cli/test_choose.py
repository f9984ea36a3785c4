"""`weigh choose` on the command line: JSON by its contract, words in both languages, exit status."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from weigh.cli.main import weigh
from weigh.core.fit import Fit
from weigh.text import LANGUAGES


def run(*arguments: str) -> Result:
    return CliRunner().invoke(weigh, ["choose", *arguments], standalone_mode=False)


def test_json_has_every_key_of_the_contract() -> None:
    found = json.loads(run("coding assistant", "--on", "4090", "--json").output)
    assert found.keys() >= {"schema", "query", "need", "kinds", "choices", "excluded"}
    first = found["choices"][0]
    assert first.keys() >= {
        "id", "name", "family", "kind", "why", "licence", "repo_ids", "quantisation", "file", "fit", "commands"
    }  # fmt: skip
    assert {one["origin"] for one in found["need"]} == {"option", "words"}
    assert all(one["reason"] and one["count"] for one in found["excluded"])


def test_the_fit_of_a_choice_has_the_shape_of_fit() -> None:
    fit = json.loads(run("chat", "--on", "4090", "--json").output)["choices"][0]["fit"]
    assert {key for key in fit if key != "because"} <= set(Fit.__struct_fields__)
    assert msgspec.convert(fit | {"because": None}, type=dict)["verdict"] in ("fits", "tight", "offload")


def test_the_fit_of_a_choice_is_what_fit_says() -> None:
    choice = json.loads(run("coding assistant", "--on", "4090", "--json").output)["choices"][0]
    name = choice["id"].removeprefix("hf:")
    arguments = ["fit", name, "--on", "4090", "--quant", choice["quantisation"], "--no-exact", "--offline", "--json"]
    told = json.loads(CliRunner().invoke(weigh, arguments, standalone_mode=False).output)["fits"][0]
    assert told["memory"] == choice["fit"]["memory"] and told["speed"] == choice["fit"]["speed"]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("need", ["OCR 发票", "RAG over manuals", "chat", "text to video", "forecast sales", "LoRA"])
def test_an_answer_is_in_words(need: str, lang: str) -> None:
    done = run(need, "--on", "4090", "--lang", lang)
    assert (done.return_value, done.exception) == (0, None)
    assert "weigh pull hf:" in done.output and "{" not in done.output


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("need", [[], ["asdfghjkl"], ["明天会下雨吗"]])
def test_what_asks_for_nothing_is_told_what_can_be_asked(need: list[str], lang: str) -> None:
    done = run(*need, "--lang", lang)
    assert done.return_value == 0 and len(done.output.splitlines()) == 1 and "weigh choose" in done.output
    empty = json.loads(run(*need, "--json").output)
    assert empty["choices"] == [] and empty["kinds"] == []


def test_quiet_gives_references_alone() -> None:
    output = run("OCR", "--on", "4090", "-q").output.splitlines()
    assert len(output) == 3 and all(line.startswith("hf:") for line in output)


@pytest.mark.parametrize("option", [["--task", "nonsense"], ["--kind", "nonsense"], ["--limit", "0"], ["--on", "zzz"]])
def test_a_bad_option_is_one_line(option: list[str]) -> None:
    done = run("chat", *option)
    assert done.return_value == 2 and len(done.output.strip().splitlines()) == 1
    assert "error" in json.loads(run("chat", *option, "--json").output)


def test_only_the_tables_that_are_needed_are_read() -> None:
    check = (
        "import sys; sys.argv = ['weigh', 'choose', 'OCR', '--on', '4090', '--json']\n"
        "from weigh.cli.main import weigh as w; w(standalone_mode=False)\n"
        "bad = {'httpx', 'rich', 'jinja2', 'numpy', 'torch', 'weigh.knowledge.imports', 'weigh.formats'}\n"
        "assert not bad & set(sys.modules), bad & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_shows_what_is_printed(lang: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / lang / "choose.md").read_text("utf-8")
    blocks = [line.removeprefix("    ") for line in page.splitlines() if line.startswith("    ")]
    shown = blocks[1 : blocks.index(next(line for line in blocks if line.startswith("weigh choose")))]
    assert run(*shlex.split(blocks[0].removeprefix("$ weigh choose "))).output.splitlines() == shown
    commands = [shlex.split(re.split(r" {2,}", line)[0]) for line in blocks if line.startswith("weigh choose")]
    assert len(commands) == 6
    for _, _, *arguments in commands:
        on = [] if "--on" in arguments else ["--on", "3090"]
        assert json.loads(run(*arguments, *on, "--json").output)["kinds"]


def test_it_is_a_public_name() -> None:
    import weigh as package

    found = package.choose("OCR on a 4090")
    assert [step.task for step in found.kinds] == ["ocr"] and found.choices
