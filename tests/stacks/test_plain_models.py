"""Plain models of libraries with an environment of their own compute what these libraries compute."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engines.asking import run
from tools.tiny import plain_files
from tools.tiny.kinds import STACK_KINDS
from weigh.core.work import Compute, Done, Fault, Tensors
from weigh.engines.arrays import array_of, numbers

numpy = pytest.importorskip("numpy")

X = numpy.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)
CASES = """
    keras        plain.keras    keras
    keras        plain.h5       keras
    savedmodel   saved          tensorflow
    tflite       plain.tflite   tensorflow ai_edge_litert
    openvino     plain.xml      openvino
"""


@pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves
@pytest.mark.parametrize("line", [line.split() for line in CASES.strip().splitlines()], ids=lambda line: line[1])
def test_a_plain_model_computes_what_its_library_computes(line: list[str], tmp_path: Path) -> None:
    maker, name, *needs = line
    if missing := [need for need in needs if importlib.util.find_spec(need) is None]:
        pytest.skip(f"{missing[0]} is not here")
    write: Callable[[Path, Any], Any] = getattr(plain_files, maker)
    own = write(tmp_path / name, X)
    events = run(tmp_path / name, Compute(arrays=(array_of("", X),)))
    assert isinstance(events[-1], Done), events[-1]
    tensors = next(event for event in events if isinstance(event, Tensors)).arrays
    assert [one.shape for one in tensors] == [(4, 2)] and numpy.allclose(numbers(tensors[0]), own, atol=1e-5)
    assert commanded(tmp_path / name) == pytest.approx(numbers(tensors[0]), abs=1e-5)
    wrong = run(tmp_path / name, Compute(arrays=(array_of("", X[:, :2]),)))[-1]
    assert isinstance(wrong, Fault) and wrong.kind == "bad_input"


def commanded(path: Path) -> Any:
    """What `weigh run` makes of it, in a process of its own."""
    numpy.save(path.parent / "x.npy", X)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LC_ALL": "C.UTF-8"}
    line = (sys.executable, "-m", "weigh", "run", str(path), "x.npy", "--out", "out.npz", "--json")
    done = subprocess.run(line, cwd=path.parent, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (output,) = json.loads(done.stdout)["outputs"]
    with numpy.load(path.parent / "out.npz") as arrays:
        return arrays[output["name"]]


def test_each_of_them_is_among_the_kinds_that_run() -> None:
    assert {line.split()[1] for line in CASES.strip().splitlines()} == {
        kind.place.rpartition("/")[2] for kind in STACK_KINDS
    }
