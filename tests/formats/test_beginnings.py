"""What a file begins with decides which formats are asked, and never what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from weigh.core.format import Format
from weigh.formats import BEGINNINGS, FORMATS, HEAD, PLACES
from weigh.sources.memory import MemorySource

SAMPLES = sorted(path for path in (Path(__file__).parents[1] / "samples").rglob("*") if path.is_file())
ASKED: list[tuple[str, Format]] = [
    (place, format) for (_, place), format in zip(PLACES, FORMATS, strict=True) if place in BEGINNINGS
]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_no_format_knows_a_file_that_it_is_not_asked_about(path: Path) -> None:
    data = path.read_bytes()
    source = MemorySource(data, path="model.dat")
    unasked = [format for place, format in ASKED if not BEGINNINGS[place].match(data[:HEAD])]
    assert [format.name for format in unasked if format.matches(source)] == []


def test_every_beginning_is_one_of_a_listed_format() -> None:
    assert {place for place, _ in ASKED} == set(BEGINNINGS)
