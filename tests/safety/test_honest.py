"""No file that an ordinary library writes is called anything but clean."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from transformers import AutoModel

from tests.cases.safety.honest import HONEST_FILES, Maker
from tools.honest.readers import open_by_reference
from weigh.app.weigh import weigh


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [make for _, make in HONEST_FILES], ids=[name for name, _ in HONEST_FILES])
def test_an_honest_file_is_clean(make: Maker, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = make(tmp_path)
        AutoModel.from_pretrained(path) if path.is_dir() else open_by_reference(path)
    report = weigh(str(path))
    assert (report.verdict, [one for one in report.findings if one.severity not in ("low", "info")]) == ("clean", [])
