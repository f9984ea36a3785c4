"""Stock clients and `weigh pull` against the real `weigh mirror`, with one thing going wrong between them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.faults import ID, LARGE, SCENARIOS
from tests.clients.matrix import CLIENTS, Row, rows
from tests.clients.proxy import standing_before
from tests.clients.takers import TAKERS, Errand, aria2, taker_of
from tests.clients.trial import World, tried, word
from tests.clients.world import standing, write_models
from tests.serve.hub import ran
from tests.tiny import made

OURS = "weigh pull"
BOUND, LONG_BOUND = 25.0, 120.0  # seconds for a client that does not end by itself, and for one that does
# Where the server gives no ranges, or a byte was wrong, bytes must be asked for again.
UNAVOIDABLE = ("no-ranges-drop-once", "no-ranges-drop-always", "flip-once", "flip-always", "flip-small")


@pytest.fixture(scope="module")
def world(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = made(tmp_path_factory, "clients", lambda folder: write_models(folder, samples))
    with standing(root, tmp_path_factory.mktemp("mirrors")) as world:
        yield world


def cases() -> list[object]:
    return [
        pytest.param(row, id=f"{row.client}-{row.scenario}", marks=[pytest.mark.heavy] if row.is_heavy else [])
        for row in rows()
    ]


@pytest.mark.parametrize("row", cases())
def test_a_client_does_what_the_table_says(row: Row, world: World, tmp_path: Path) -> None:
    taker, scenario = taker_of(row.client), next(one for one in SCENARIOS if one.id == row.scenario)
    bound = BOUND if row.outcome in ("hangs", "loops") else LONG_BOUND
    facts = tried(taker, scenario, world, tmp_path / "client", bound)
    assert word(scenario, facts) == row.outcome, facts
    if row.client == OURS:
        assert facts.status is not None and facts.right is not False
        assert facts.again <= 0 or row.scenario in UNAVOIDABLE


def test_aria2_refuses_a_wrong_byte_where_it_is_told_the_hash(world: World, tmp_path: Path) -> None:
    digest = hashlib.sha256((world.root / ID / LARGE).read_bytes()).hexdigest()
    with standing_before(world.open.url) as proxy:
        proxy.fault = next(one.fault for one in SCENARIOS if one.id == "flip-always")
        told = aria2(Errand(proxy.url, ID, LARGE, tmp_path, tmp_path))
        done = ran([*told.command, f"--checksum=sha-256={digest}"], told.environment)
    assert done.returncode != 0 and "checksum" in done.stdout.lower()


def test_every_client_has_its_row_in_every_scenario() -> None:
    """llama.cpp asks for nothing but the weights."""
    told = [(row.client, row.scenario) for row in rows()]
    assert len(told) == len(set(told))
    every = {(taker.name, scenario.id) for taker in TAKERS for scenario in SCENARIOS}
    assert every - set(told) == {("llama.cpp", "flip-small")} and set(told) <= every
    assert {one for group in CLIENTS for one in group} == {taker.name for taker in TAKERS}


def test_what_weigh_pull_promises_stands_in_the_table() -> None:
    """Nothing wrong is ever released, nothing that is right is asked for again, no loop has no end."""
    ours = {row.scenario: row.outcome for row in rows() if row.client == OURS}
    assert set(ours.values()) <= {"once", "partly", "anew", "refuses", "keeps", "ends", "told", "cached"}
    assert {scenario for scenario, outcome in ours.items() if outcome in ("partly", "anew")} <= set(UNAVOIDABLE)
