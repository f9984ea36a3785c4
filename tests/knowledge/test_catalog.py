"""The catalogue's tables: strict rows that agree with each other."""

from __future__ import annotations

import re
from itertools import chain

import pytest

from weigh.app.search import plain
from weigh.knowledge.catalog import (
    AS_OF,
    Family,
    Sourced,
    errata,
    families,
    kinds,
    licences,
    tasks,
    trends,
    vendors,
)

TABLES = {
    "kinds": kinds,
    "tasks": tasks,
    "vendors": vendors,
    "families": families,
    "licences": licences,
    "errata": errata,
    "trends": trends,
}
SOURCE = re.compile(r"https://\S+|pkg:pypi/[A-Za-z0-9._-]+@[A-Za-z0-9.+!-]+")
DAY = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def every_row() -> dict[str, Sourced]:
    return {row.id: row for table in TABLES.values() for row in table().values()}


def test_ids_are_unique_in_the_whole_catalogue() -> None:
    assert len(every_row()) == sum(len(table()) for table in TABLES.values())


def test_the_catalogue_is_as_wide_as_it_says() -> None:
    assert len(families()) >= 440 and len(vendors()) >= 112 and len(errata()) == 127 and len(kinds()) >= 13


def test_every_source_can_be_looked_up() -> None:
    assert [
        (row.id, source)
        for row in every_row().values()
        for source in (row.source, *row.also)
        if not SOURCE.fullmatch(source)
    ] == []


def test_high_confidence_needs_two_sources() -> None:
    assert [row.id for row in every_row().values() if row.confidence == "high" and not row.also] == []


def test_every_name_is_there_in_both_languages() -> None:
    named = chain(*(TABLES[table]().values() for table in ("kinds", "tasks", "vendors", "families", "licences")))
    assert [row.id for row in named if not (row.names.en.strip() and row.names.zh.strip())] == []
    chinese = [row.id for row in chain(kinds().values(), tasks().values()) if not re.search("[一-鿿]", row.names.zh)]
    assert chinese == []


def test_the_usual_eight_kinds_are_numbered_and_one_of_them_is_no_model() -> None:
    numbered = {row.number: row for row in kinds().values() if row.number}
    assert sorted(numbered) == list(range(1, 9))
    assert [row.id for row in kinds().values() if row.is_ai is False] == ["polymorphic"] == [numbered[8].id]


def test_what_a_row_names_exists() -> None:
    wrong: list[tuple[str, str]] = []
    for row in families().values():
        named = [*row.predecessors, *row.successors, *filter(None, [row.taken_over_by])]
        wrong += [(row.id, id) for id in named if id not in families()]
        wrong += [(row.id, id) for id in row.licences if id not in licences()]
        wrong += [(row.id, row.vendor)] * (row.vendor not in vendors()) + [(row.id, row.kind)] * (
            row.kind not in kinds()
        )
    for table in (kinds(), tasks(), trends()):
        wrong += [(row.id, id) for row in table.values() for id in row.families if id not in families()]
    wrong += [(row.id, id) for row in tasks().values() for id in row.kinds if id not in kinds()]
    wrong += [(row.id, id) for row in errata().values() for id in row.about if id not in every_row()]
    assert wrong == []


def test_successor_and_predecessor_agree() -> None:
    after = {(row.id, id) for row in families().values() for id in row.successors}
    before = {(id, row.id) for row in families().values() for id in row.predecessors}
    assert len(after) > 150
    assert after == before


def test_nothing_succeeds_itself() -> None:
    def reach(family: Family, seen: tuple[str, ...]) -> None:
        assert family.id not in seen, seen
        for id in family.successors:
            reach(families()[id], (*seen, family.id))

    for family in families().values():
        reach(family, ())


def test_what_is_superseded_by_its_own_line_is_not_newer_than_that() -> None:
    known = families()
    pairs = [(row, known[row.successors[0]]) for row in known.values() if row.successors and row.status == "superseded"]
    late = [
        (row.id, after.id)
        for row, after in pairs
        if row.released and after.released and row.released[:4] > after.released[:4]
    ]
    assert late == []


@pytest.mark.parametrize("field", ["released", "api_ends"])
def test_a_day_is_written_from_year_to_day_and_not_after_the_data(field: str) -> None:
    days = {row.id: getattr(row, field) for row in families().values() if getattr(row, field)}
    assert days
    assert [(id, day) for id, day in days.items() if not DAY.fullmatch(day)] == []
    if field == "released":
        assert [(id, day) for id, day in days.items() if day > AS_OF[: len(day)]] == []


def test_a_size_is_a_total_with_what_is_active() -> None:
    size = re.compile(r"E?[\d.]+[MBT](-A?[\d.]+[MB])?")
    assert [(row.id, one) for row in families().values() for one in row.sizes if not size.fullmatch(one)] == []


def test_nearly_all_open_weights_lie_on_a_hub_and_no_closed_ones() -> None:
    nowhere = [row.id for row in families().values() if row.weights == "open" and not (row.hf or row.ms)]
    assert len(nowhere) <= 13, nowhere
    closed = [row.id for row in families().values() if row.weights != "open" and row.hf]
    assert closed == []


def test_a_hub_id_has_an_organisation_and_unconfirmed_ones_are_among_the_others() -> None:
    ids = [(row.id, hub) for row in families().values() for hub in (*row.hf, *row.ms)]
    assert [pair for pair in ids if pair[1].count("/") != 1] == []
    assert [row.id for row in families().values() if not set(row.hf_unconfirmed) <= set(row.hf)] == []


def test_a_hub_id_and_a_name_belong_to_one_family() -> None:
    owners: dict[str, set[str]] = {}
    for row in families().values():
        for name in (row.names.en, row.names.zh, *row.aliases, *row.hf, *row.ms):
            owners.setdefault(plain(name), set()).add(row.id)
    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


def test_what_is_free_to_use_is_free_to_host_unless_it_says_so() -> None:
    assert [row.id for row in licences().values() if row.commercial == "no" and row.hosting != "no"] == []
    assert [row.id for row in licences().values() if row.open_source and row.commercial != "yes"] == []
    assert {licences()[id].user_limit for id in ("llama-3.1-licence", "mit")} == {700_000_000, None}
