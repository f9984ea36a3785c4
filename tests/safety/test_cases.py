"""Every inert case is called what it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cases.safety import Case, cases
from weigh.app.weigh import weigh


def laid_out(case: Case, folder: Path) -> Path:
    """The case's files; one file alone is weighed as a file."""
    files = case.files()
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder / next(iter(files)) if len(files) == 1 else folder


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_case_is_called_what_it_is(case: Case, tmp_path: Path) -> None:
    report = weigh(str(laid_out(case, tmp_path)))
    assert report.verdict in case.verdict.split("|"), report.findings
    if case.verdict == "clean":
        assert [one for one in report.findings if one.severity in ("critical", "high")] == []
