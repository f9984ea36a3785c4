"""The quick pass over plain pickles ends where the exact machine ends, and lets through nothing that imports."""

from __future__ import annotations

import pickle
import random

import pytest

from tests.cases.safety.pickles import CASES, SYSTEM, whole
from weigh.codecs.pickle import run
from weigh.codecs.pickle_observations import observe
from weigh.codecs.pickle_skim import BLOCK, skim
from weigh.sources.memory import MemorySource

PLAIN = {"a": 1, "b": [1.5, None, True], "c": "x" * 1000, "d": b"y" * 5000, "e": 1 << 100, "f": "é" * 40, "g": -1}
EVIL = whole(SYSTEM)


def source(data: bytes) -> MemorySource:
    return MemorySource(data, path="x")


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize(
    "value", [PLAIN, [PLAIN], list(range(5000)), ["x" * n for n in range(300)], [(1, 2)] * 3], ids=str
)
def test_it_ends_where_the_exact_machine_ends(value: object, protocol: int) -> None:
    data = pickle.dumps(value, protocol=protocol)
    quick = skim(source(data), 0)
    assert quick is None or quick.end == run(source(data)).end == len(data)


def test_most_plain_values_are_passed() -> None:
    assert skim(source(pickle.dumps(PLAIN, protocol=4)), 0) is not None


def test_it_passes_over_the_edges_of_blocks() -> None:
    chance = random.Random(5)
    rows = [["x" * chance.randrange(300), chance.randrange(1 << 20), chance.random()] for _ in range(12_000)]
    data = pickle.dumps(rows, protocol=4)
    assert len(data) > 2 * BLOCK or len(data) > BLOCK
    quick = skim(source(data), 0)
    assert quick is not None and quick.end == len(data)


@pytest.mark.parametrize("case", [case for case in CASES if "malicious" in case.verdict], ids=lambda case: case.name)
def test_nothing_malicious_is_passed(case: object) -> None:
    (data,) = case.files().values()  # type: ignore[attr-defined]
    end, at = len(data), 0
    while at < end and (quick := skim(source(data), at)) is not None:
        at = quick.end
    assert at < end


@pytest.mark.parametrize("size", [300, 5000, 2 * BLOCK])
def test_what_stands_behind_or_inside_a_long_plain_one_is_found(size: int) -> None:
    long = pickle.dumps([b"z" * size, *range(300)], protocol=4)
    for data in (long + EVIL, long[:-1] + SYSTEM + b"0.", long[:2] + SYSTEM + b"0" + long[2:]):
        assert any(seen.kind == "import" for seen in observe(source(data)))
