"""The pre-commit hook is defined as pre-commit reads it, and its command runs."""

from __future__ import annotations

import pickle
import re
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from weigh.cli.main import weigh

(HOOK,) = yaml.safe_load((Path(__file__).parents[1] / ".pre-commit-hooks.yaml").read_text("utf-8"))


def status(*paths: Path) -> int:
    program, *arguments = shlex.split(HOOK["entry"])
    assert program == "weigh"
    done = CliRunner().invoke(weigh, [*arguments, *map(str, paths)], standalone_mode=False)
    assert isinstance(done.return_value, int)
    return done.return_value


def test_the_hook_says_all_that_is_asked_of_one() -> None:
    assert {"id", "name", "entry", "language"} <= HOOK.keys()


@pytest.mark.parametrize(("name", "is_model"), [("a/b.gguf", True), ("m.safetensors", True), ("README.md", False)])
def test_the_hook_is_given_model_files(name: str, is_model: bool) -> None:
    assert bool(re.search(HOOK["files"], name)) is is_model


def test_the_hook_lets_clean_files_pass_and_stops_at_another(tmp_path: Path) -> None:
    (tmp_path / "good.pkl").write_bytes(pickle.dumps([1, 2]))
    (tmp_path / "bad.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert status(tmp_path / "good.pkl") == 0
    assert status(tmp_path / "good.pkl", tmp_path / "bad.pkl") == 1
