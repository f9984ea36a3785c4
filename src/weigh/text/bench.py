"""Measured speeds as a table: the middle and the spread, beside what was predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rich.table import Table
from rich.text import Text

from weigh.core.fit import Interval
from weigh.text import Language, say

_COLUMNS = ("what", "median", "spread", "predicted", "ratio")


class Figure(Protocol):
    """What a row tells."""

    @property
    def name(self) -> str: ...
    @property
    def median(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def predicted(self) -> Interval | None: ...
    @property
    def ratio(self) -> float | None: ...


def figure_lines(figures: Sequence[Figure], language: Language) -> Table:
    """A row a speed."""
    table = Table.grid(padding=(0, 2))
    for _ in _COLUMNS:
        table.add_column()
    table.add_row(*(Text(say(f"bench_column.{key}", language), style="bold cyan") for key in _COLUMNS))
    for one in figures:
        foretold = "-" if one.predicted is None else f"{_told(one.predicted.typical)} ({_spread(one.predicted)})"
        ratio = "-" if one.ratio is None else f"{one.ratio:.2f}"
        table.add_row(
            Text(say(f"bench_figure.{one.name}", language)),
            Text(_told(one.median)),
            Text(f"{_told(one.low)}-{_told(one.high)}"),
            Text(foretold),
            Text(ratio),
        )
    return table


def _spread(interval: Interval) -> str:
    return f"{_told(interval.low)}-{_told(interval.high)}"


def _told(figure: float) -> str:
    return f"{figure:.3g}" if figure < 100 else f"{figure:,.0f}"
