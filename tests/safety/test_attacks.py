"""Models made without looking at the rules are called what the table accepts."""

from __future__ import annotations

import functools
import io
import pickle
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from weigh.app.weigh import weigh

pytest.importorskip("torch")
pytest.importorskip("h5py")
pytest.importorskip("joblib")

TABLE = Path(__file__).parents[1] / "cases" / "attacks.txt"


def rows() -> Iterator[tuple[str, str]]:
    """The name of a case and the verdicts it may have."""
    for line in TABLE.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            verdicts, _, name = line.partition("  ")
            yield name.strip(), verdicts


@functools.cache
def made() -> dict[str, dict[str, bytes]]:
    from tools.attacks import cases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch has opinions on its own older tensors
        return cases()


@pytest.mark.parametrize(("name", "verdicts"), list(rows()), ids=str)
def test_a_case_made_blind_is_called_what_it_is(name: str, verdicts: str, tmp_path: Path) -> None:
    files = made()[name]
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    first = next(iter(files))
    report = weigh(str(tmp_path / ("m" if len(files) > 1 or first.startswith("m/") else first)))
    assert report.verdict in verdicts.split("|"), report.findings
    if verdicts == "clean":
        assert [one for one in report.findings if one.severity in ("critical", "high")] == []


def test_every_case_made_blind_is_in_the_table() -> None:
    assert sorted(made()) == sorted(name for name, _ in rows())


class Recorder(pickle.Unpickler):
    """The C unpickler, told what to import and importing nothing."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(content))
        self.asked: list[str] = []

    def find_class(self, module: str, name: str) -> object:
        self.asked.append(f"{module}.{name}")
        return lambda *arguments: None


@pytest.mark.parametrize("protocol", [2, 4])
def test_the_c_unpickler_comes_to_every_name_of_the_table_of_globals(protocol: int) -> None:
    from tools.attacks.globals_ import KNOWN

    missed = []
    for name in KNOWN.split():
        content = made()[f"pkl/{name}"]["model.pkl"]
        recorder = Recorder(content)
        recorder.load()
        missed += [name] if content[1] == protocol and recorder.asked != [name] else []
    assert missed == []
