"""The page on running: its table is what the engines say of themselves, and its sessions print what it shows."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest
from click.testing import CliRunner

from tests.tiny import made
from tools.tiny import onnx_files, text
from weigh.cli.main import weigh
from weigh.core.engine import Candidate, Engine
from weigh.core.work import WORKS, Work
from weigh.engines import engines

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("en/run.md", "zh/run.md")
TOGETHER: tuple[tuple[Work, ...], ...] = (("chat", "complete"), ("classify", "embed"))
FORMATS = (
    *("echo", "gguf", "huggingface", "diffusers", "ctranslate2", "onnx", "openvino", "tflite", "keras", "keras-h5"),
    *("tf-savedmodel", "torchscript"),
)


def candidates() -> Iterator[Candidate]:
    """One of each format for each work, and for those that go together."""
    for format in FORMATS:
        for works in (*((work,) for work in WORKS), *TOGETHER):
            name = "WhisperSpec" if format == "ctranslate2" else None
            yield Candidate(path="model", format=format, architecture=name, works=works)


def row(engine: Engine) -> tuple[str, str, str, str]:
    """Name, formats, works and what installs it."""
    taken = [(one.format, engine.works(one)) for one in candidates()]
    found = {work for _, works in taken for work in works}
    formats = ", ".join(format for format in FORMATS if any(works for one, works in taken if one == format))
    how = f"`{engine.command}`" if engine.command else f"`weigh[{engine.extra}]`" if engine.extra else ""
    return engine.name, formats, ", ".join(work for work in WORKS if work in found), how


@pytest.mark.parametrize("page", PAGES)
def test_the_table_is_what_the_engines_say(page: str) -> None:
    lines = re.findall(r"^\| (.*?) \| (.*?) \| (.*?) \| (.*?) ?\|$", (DOCS / page).read_text("utf-8"), re.MULTILINE)
    assert lines[2:] == [row(engine) for engine in engines()]


@pytest.mark.parametrize("page", PAGES)
def test_its_sessions_print_what_it_shows(
    page: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx_files.plain(tmp_path / "plain.onnx")
    numpy.savez(tmp_path / "inputs.npz", x=numpy.ones((4, 3), "f4"), b=numpy.zeros(2, "f4"))
    os.link(made(tmp_path_factory, "text", text.write) / "model-F32.gguf", tmp_path / "model.gguf")
    monkeypatch.chdir(tmp_path)
    shown = re.findall(r"^    \$ weigh (.+)\n((?:    (?!\$).+\n)*)", (DOCS / page).read_text("utf-8"), re.MULTILINE)
    assert len(shown) == 3
    for command, lines in shown:
        result = CliRunner().invoke(weigh, shlex.split(command), standalone_mode=False)
        assert (result.exception, result.return_value) == (None, 0), result.stderr
        if lines.strip() != "...":
            assert result.stdout == re.sub(r"^    ", "", lines, flags=re.MULTILINE)
