"""Which formats suit which use of a model."""

from __future__ import annotations

import functools

from weigh.knowledge import Row, read_table


class Scenario(Row, frozen=True, kw_only=True):
    """`order` is that of the table shown; formats and engines stand with the first choice first."""

    order: int
    formats: tuple[str, ...]
    quantisations: tuple[str, ...]
    engines: tuple[str, ...]


@functools.cache
def scenarios() -> tuple[Scenario, ...]:
    """In the order to show them."""
    return tuple(sorted(read_table("scenarios", Scenario), key=lambda row: row.order))
