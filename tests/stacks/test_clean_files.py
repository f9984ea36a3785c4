"""What libraries with an environment of their own write is opened by them and called clean."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.honest import STACK_GROUPS, Honest, honest_files
from tools.honest.readers import open_by_reference
from weigh.app.weigh import weigh

CASES = tuple(honest_files(STACK_GROUPS))


@pytest.mark.skipif(not CASES, reason="none of the libraries that boost trees, Keras or TensorFlow is here")
@pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_clean_file_is_opened_by_its_library_and_called_clean(case: Honest, tmp_path: Path) -> None:
    path = case.write(tmp_path)
    (case.read or open_by_reference)(path)
    report = weigh(str(path))
    assert report.verdict in case.verdict.split("|"), report.findings
    assert [one for one in report.findings if one.severity in ("critical", "high")] == []
