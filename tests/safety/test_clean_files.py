"""What ordinary libraries write is opened by them and called clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.honest import Honest, honest_files
from tools.honest.readers import open_by_reference
from weigh.app.weigh import weigh

CASES = tuple(honest_files())


def test_there_are_many() -> None:
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_clean_file_is_opened_by_its_library_and_called_clean(case: Honest, tmp_path: Path) -> None:
    path = case.write(tmp_path)
    (case.read or open_by_reference)(path)
    report = weigh(str(path))
    assert report.verdict in case.verdict.split("|"), report.findings
    assert [one for one in report.findings if one.severity in ("critical", "high")] == []
