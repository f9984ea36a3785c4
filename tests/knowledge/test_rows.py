"""One row of a long table is found by its id, and nothing else is."""

from __future__ import annotations

import pytest

from weigh.knowledge import find_row
from weigh.knowledge.imports import Import, imports, tier_of


def test_every_row_is_found_as_the_whole_table_has_it() -> None:
    assert [id for id, row in imports().items() if find_row("imports", Import, id) != row] == []


@pytest.mark.parametrize(
    "id", ["", "no.such.name", "zzzz.z", "\udcff", "torch._utils", *(f"{next(iter(imports()))}{end}" for end in "x. ")]
)
def test_what_is_no_row_is_not_found(id: str) -> None:
    assert find_row("imports", Import, id) is None


def test_a_name_that_is_written_as_a_row_is_none() -> None:
    row = imports()["collections.OrderedDict"]
    id = f'{row.id}", "source": "{row.source}'
    assert find_row("imports", Import, id) is None
    module, _, name = id.partition(".")
    assert tier_of(module, name) != "safe"
