"""How far what is found may lie from what a name says: past it the name is wrong; `source` is a model that sets it."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.knowledge import Row, read_table


class Tolerance(Row, frozen=True, kw_only=True):
    """From `least` to `most` times what the name says; without `most` there is no upper end."""

    least: float
    most: float | None = None

    def allows(self, found: float, said: float) -> bool:
        """Whether `found` may be called `said`."""
        return self.least * said <= found and (self.most is None or found <= self.most * said)


@functools.cache
def tolerances() -> Mapping[str, Tolerance]:
    """Rows by what they are for."""
    return {row.id: row for row in read_table("tolerances", Tolerance)}
