"""What the READMEs show is what the commands print."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh.md")


def sessions(text: str) -> Iterator[tuple[str, list[str]]]:
    """Every command of the indented blocks and the lines it should print; `...` stands for any lines."""
    command: str | None = None
    shown: list[str] = []
    for line in [*text.splitlines(), "the end"]:
        inside = line.startswith("    ")
        if command is not None and (line.startswith("    $ ") or (line and not inside)):
            yield command, "\n".join(shown).strip("\n").split("\n")
            command, shown = None, []
        if line.startswith("    $ "):
            command = line.removeprefix("    $ ")
        elif command is not None:
            shown.append(line.removeprefix("    "))


SESSIONS = [(name, *session) for name in READMES for session in sessions((PROJECT / name).read_text("utf-8"))]


@pytest.mark.parametrize(("readme", "command", "shown"), SESSIONS, ids=[f"{name}: {run}" for name, run, _ in SESSIONS])
def test_a_session_prints_what_the_readme_shows(
    samples: Path, tmp_path: Path, readme: str, command: str, shown: list[str]
) -> None:
    shutil.copytree(samples, tmp_path / "try")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path), "LC_ALL": "C.UTF-8"}
    shell = f'weigh() {{ "{sys.executable}" -m weigh "$@"; }}; {command}'
    done = subprocess.run(["sh", "-c", shell], capture_output=True, cwd=tmp_path, env=environment, timeout=60)
    printed = "\n".join(line.rstrip() for line in done.stdout.decode("utf-8").strip("\n").splitlines())
    pattern = "\n".join(r"(?:.*\n?)*?" if line == "..." else re.escape(line) for line in shown)
    assert re.fullmatch(pattern, printed), printed


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_shows_the_same_sessions(readme: str) -> None:
    assert [command.replace("--lang zh ", "") for name, command, _ in SESSIONS if name == readme] == [
        "weigh --quiet try/*",
        "weigh name Qwen3-30B-A3B-Instruct-2507-FP8",
        "weigh try/Nova-7B-Instruct-Q8_0.gguf",
    ]


@pytest.mark.parametrize(
    "page", ["README.md", "README.zh.md", "CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md"]
)
def test_every_link_leads_somewhere(page: str) -> None:
    path = PROJECT / page
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_make_target_is_told_by_make_help() -> None:
    makefile = (PROJECT / "Makefile").read_text("utf-8")
    phony = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[0].split()
    assert sorted(re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE)) == sorted(phony)
