"""Plain models of libraries with an environment of their own compute what these libraries compute."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engines.asking import run
from tools.tiny import plain_files
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
    wrong = run(tmp_path / name, Compute(arrays=(array_of("", X[:, :2]),)))[-1]
    assert isinstance(wrong, Fault) and wrong.kind == "bad_input"
