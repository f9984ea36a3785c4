"""Plain models of other libraries compute what their libraries compute; each where its library is."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from tests.engines.asking import run
from tools.tiny import plain_files
from weigh.app.run import Asked, chosen
from weigh.app.weigh import weigh
from weigh.core.errors import EngineError
from weigh.core.work import Compute, Done, Speak, Tensors
from weigh.engines.arrays import array_of, numbers

pytestmark = pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves
X = numpy.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


def test_torchscript_computes_what_it_computed_when_it_was_written(tmp_path: Path) -> None:
    own = plain_files.torchscript(tmp_path / "plain.pt", X)
    given = Compute(arrays=(array_of("x", X), array_of("scale", numpy.float32(2))))
    events = run(tmp_path / "plain.pt", given, Asked(allow_pickle=True))
    tensors = next(event for event in events if isinstance(event, Tensors)).arrays
    assert [one.name for one in tensors] == ["output_0", "output_1"]
    assert numpy.allclose(numbers(tensors[0]), own * 2, atol=1e-6)
    assert isinstance(events[-1], Done)


def test_torchscript_is_held_back_until_it_is_allowed(tmp_path: Path) -> None:
    plain_files.torchscript(tmp_path / "plain.pt", X)
    with pytest.raises(EngineError, match=r"run\.pickle"):
        chosen(weigh(str(tmp_path / "plain.pt")), str(tmp_path / "plain.pt"), Asked())


def test_another_work_is_not_done(tmp_path: Path) -> None:
    plain_files.torchscript(tmp_path / "plain.pt", X)
    with pytest.raises(EngineError, match=r"run\.not_for_that"):
        run(tmp_path / "plain.pt", Speak(text="aloud"), Asked(allow_pickle=True))


@pytest.mark.parametrize(
    ("name", "extra"),
    [("dense.tflite", "litert"), ("first.pb", "tensorflow"), ("plain.keras", "keras"), ("small.xml", "openvino")],
)
def test_a_library_that_is_wanting_is_one_line_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, name: str, extra: str
) -> None:
    monkeypatch.setattr("weigh.app.run.is_here", lambda engine: False)
    path = next((Path(__file__).parents[1] / "samples").rglob(name))
    monkeypatch.setattr("weigh.app.run.allowed", lambda report, asked: None)
    with pytest.raises(EngineError, match=rf"run\.missing.*weigh\[{extra}\]"):
        chosen(weigh(str(path)), str(path), Asked())
