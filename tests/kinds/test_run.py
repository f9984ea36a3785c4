"""Every kind of model by `weigh run`, as a process of its own: what its engine makes, decoded and measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.engines.asking import run
from tests.kinds.asked import SIDE, SPOKEN, case_of, context_of, place_of, write_inputs
from tests.kinds.outcomes import of_document, of_events, same, told_of
from tools.tiny.kinds import KINDS, Kind
from weigh.app.run import Asked

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves
# One an engine, and the rest of llama.cpp, which is quick; make test-all runs every one.
QUICK = {"faster-whisper", "gguf-chat", "gguf-embedding", "gguf-vlm", "onnx-plain", "rerank", "vits"}
MEDIA = ("depth", "image", "sound", "speak", "video")
# What a file of each kind says of itself, and how long, large and fast it is.
FILES: dict[str, dict[str, Any]] = {
    "depth": {"size": (SIDE, SIDE)},
    "image-to-image": {"size": (64, 64), "prompt": "cat", "seed": 7, "steps": 4},
    "image": {"size": (32, 40), "prompt": "cat", "seed": 7, "steps": 2},
    "musicgen": {"prompt": "abc", "seed": 7, "rate": 1600, "frames": 784},  # 49 of the 50 tokens that were asked for
    "speecht5": {"text": SPOKEN, "seed": 7, "rate": 1600, "frames": 4480},
    "stable-audio": {"prompt": "abc", "seed": 7, "rate": 400, "frames": 40},
    "video": {"size": (32, 48), "prompt": "cat", "seed": 7, "steps": 2, "frames": 5, "rate": 8.0},
    "vits": {"text": SPOKEN, "seed": 7, "rate": 16000},
}


def marked(kinds: tuple[Kind, ...], quick: set[str]) -> list[Any]:
    return [pytest.param(one, id=one.id, marks=() if one.id in quick else pytest.mark.heavy) for one in kinds]


def command(path: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The real one."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LC_ALL": "C.UTF-8"}
    line = (sys.executable, "-m", "weigh", "run", str(path), *arguments)
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("kind", marked(KINDS, QUICK))
def test_the_command_makes_what_the_engine_makes(
    kind: Kind, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path, case = place_of(tmp_path_factory, kind), case_of(kind)
    write_inputs(tmp_path)
    done = command(path, *case.arguments, "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    found = of_document(json.loads(done.stdout), tmp_path)
    asked = Asked(context_length=context_of(kind), allow_pickle=True)
    assert same(found, of_events(run(path, case.job, asked))) and found
    if kind.work in MEDIA:
        said = told_of(kind.work, found)
        wanted = FILES.get(kind.id) or FILES[kind.work]
        assert {key: said[key] for key in wanted} == wanted
        assert (said["model"], said["engine"], len(said["sha256"])) == (path.name, kind.engine, 64)
