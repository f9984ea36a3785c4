"""Names against tiny folders and files, claim by claim; the table was written before the code was looked at."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.describe.made import made
from weigh.app.weigh import weigh

TABLE = Path(__file__).parents[1] / "cases" / "truth.txt"
CASES = [line for line in TABLE.read_text("utf-8").splitlines() if line and not line.startswith("#")]
VERDICTS = {"+": "holds", "-": "does_not_hold", "?": "cannot_tell", "0": None}


@pytest.mark.parametrize("line", CASES)
def test_a_name_is_held_against_what_is_there(line: str, tmp_path: Path) -> None:
    name, words, expected = (part.strip() for part in line.split("|"))
    claims = {one.field: one.verdict for one in weigh(str(made(words, name, tmp_path))).claims}
    wanted = {field: VERDICTS[mark] for field, mark in re.findall(r"([a-z_]+)([-+?0])", expected)}
    assert {field: claims.get(field) for field in wanted} == wanted


def test_the_table_is_long_enough_to_mean_something() -> None:
    assert len(CASES) >= 150
