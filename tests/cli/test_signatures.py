"""A company's signatures reach every command: by the option, by the environment, from the configuration folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from weigh.cli.main import weigh

OWN = """[[signature]]
id = "acme"
magic = "ac 3e 00 01"
says = { en = "a model of Acme's", zh = "Acme 的模型" }
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("WEIGH_SIGNATURES", raising=False)
    (tmp_path / "own.toml").write_text(OWN)
    (tmp_path / "model.bin").write_bytes(b"\xac\x3e\0\1" + bytes(range(256)) * 4)
    return str(tmp_path / "model.bin")


def said(arguments: list[str]) -> str:
    return CliRunner().invoke(weigh, [*arguments, "--lang", "en"], standalone_mode=False).output


@pytest.mark.parametrize("command", ["report", "inspect", "check"])
@pytest.mark.parametrize("way", ["option", "environment", "folder", "none"])
def test_signatures_are_found(
    command: str, way: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [command, model]
    match way:
        case "option":
            arguments += ["--signatures", str(tmp_path / "own.toml")]
        case "environment":
            monkeypatch.setenv("WEIGH_SIGNATURES", str(tmp_path / "own.toml"))
        case "folder":
            (tmp_path / "config" / "weigh").mkdir(parents=True)
            (tmp_path / "config" / "weigh" / "signatures.toml").write_text(OWN)
    assert ("acme" in said(arguments).lower()) is (way != "none")


def test_a_screen_says_it_in_the_language_asked_for(model: str, tmp_path: Path) -> None:
    arguments = ["inspect", model, "--signatures", str(tmp_path / "own.toml"), "--lang", "zh"]
    assert "Acme 的模型" in CliRunner().invoke(weigh, arguments, standalone_mode=False).output


def test_a_table_that_does_not_hold_ends_the_command_with_one_line(model: str, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN.replace("ac 3e", "zz 3e"))
    done = CliRunner().invoke(
        weigh, ["check", model, "--signatures", str(tmp_path / "own.toml"), "--lang", "en"], standalone_mode=False
    )
    assert done.return_value == 2
    assert "signature 1 (acme) does not hold" in done.output and done.output.count("\n") == 1


def test_inspect_tells_what_a_data_set_holds(tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text('{"instruction": "a", "output": "b"}\n' * 3)
    screen = said(["inspect", str(tmp_path / "data.jsonl")])
    assert "instruction tuning, one turn" in screen and "instruction: string, output: string" in screen
    whole = json.loads(said(["inspect", str(tmp_path / "data.jsonl"), "--json"]))
    assert whole["model"]["files"][0]["header"]["metadata"]["rows"] == 3
