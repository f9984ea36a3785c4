"""Numbers that an option takes: within bounds, and never one that is no number."""

from __future__ import annotations

import math
from typing import Any

import click


class Number(click.FloatRange):
    """A finite number within bounds."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Fails for what is out of bounds, infinite or no number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r}", param, ctx)
        return number


COUNT = click.IntRange(1, 1 << 31)
SEED = click.IntRange(0, (1 << 32) - 1)
SHARE = Number(0, 1)
