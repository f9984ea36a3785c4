"""What a file begins with, and what an archive holds, decides which formats are asked, and never what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from weigh.core.format import Format
from weigh.formats import BEGINNINGS, FORMATS, MEMBERS, NEVER_PROTO, PLACES, YIELDING, may_be
from weigh.sources.memory import MemorySource

SAMPLES = sorted(path for path in (Path(__file__).parents[1] / "samples").rglob("*") if path.is_file())
TOLD = BEGINNINGS.keys() | MEMBERS.keys() | NEVER_PROTO | YIELDING
ASKED: list[tuple[str, Format]] = [
    (place, format) for (_, place), format in zip(PLACES, FORMATS, strict=True) if place in TOLD
]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_no_format_knows_a_file_that_it_is_not_asked_about(path: Path) -> None:
    source = MemorySource(path.read_bytes(), path="model.dat")
    assert _missed(source) == []


def test_no_format_knows_what_merely_begins_as_a_pickle() -> None:
    """Each sample behind the first bytes of a pickle and with them in place of its own; some want an archive first."""
    behind = {place for place, beginnings in BEGINNINGS.items() if beginnings != (0, (b"PK",))} | NEVER_PROTO
    for path in SAMPLES:
        data = path.read_bytes()
        for head in (b"\x80\2}q", b"\x80\4\x95", b"\x80\5N", b"\x80", b"\x80\4\0\0"):
            for ruined in (head + data[len(head) :], head + data):
                assert behind.isdisjoint(_missed(MemorySource(ruined, path="model.dat"))), path


def _missed(source: MemorySource) -> list[str]:
    return [place for place, format in ASKED if not may_be(place, source) and format.matches(source)]


def test_every_beginning_is_one_of_a_listed_format() -> None:
    assert {place for place, _ in ASKED} == TOLD
