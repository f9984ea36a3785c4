"""What a model is worth for a need, in points: what it is good for first, then how new, how large, how it runs."""

from __future__ import annotations

import math
from typing import Literal

from weigh.core.fit import Fit, Verdict
from weigh.core.value import Value

# Points. One grade is worth about as much as six times the size in a model that writes.
GRADE = 4.0
SUPERSEDED = -5.0
A_YEAR, MOST_YEARS = -0.7, 4.0
FIELD = 4.0
AT_HOME = 1.5  # in a language that it was made for, not one of dozens
VERDICT: dict[Verdict, float] = {"fits": 0.0, "tight": -1.0, "offload": -5.0, "no": -1000.0}
CONFIDENCE = {"high": 0.0, "medium": -0.3, "low": -1.0}
COMMERCIAL = {"yes": 0.0, "conditional": -1.0, "no": -2.5, None: -1.5}
COARSE = {"Q3_K_M": -3.0, "Q2_K": -5.0}
# Tokens a second below which reading along is a wait, and what it costs.
SLOW = ((4.0, -7.0), (8.0, -4.5), (15.0, -1.0))
WANTED_SPEED = 2.0  # points a tenfold speed is worth where speed is asked for


class Merit(Value, frozen=True, kw_only=True):
    """What counts for a model: `years` since its release, sizes in billions, `by_size` points a doubling."""

    grade: int
    is_current: bool
    years: float
    total_b: float
    active_b: float
    by_size: float
    has_field: bool = False
    is_at_home: bool = False
    confidence: Literal["high", "medium", "low"]
    commercial: Literal["yes", "no", "conditional"] | None
    wants_speed: bool = False


def worth(merit: Merit, fit: Fit) -> float:
    """Points; more is better."""
    # A sparse model does about as well as a dense one of the geometric mean of all and active parameters.
    size = math.sqrt(merit.total_b * merit.active_b)
    return round(
        GRADE * merit.grade
        + (0.0 if merit.is_current else SUPERSEDED)
        + A_YEAR * min(merit.years, MOST_YEARS)
        + merit.by_size * math.log2(max(size, 0.01))
        + (FIELD if merit.has_field else 0.0)
        + (AT_HOME if merit.is_at_home else 0.0)
        + VERDICT[fit.verdict]
        + COARSE.get(fit.quant or "", 0.0)
        + CONFIDENCE[merit.confidence]
        + COMMERCIAL[merit.commercial]
        + _speed(fit, wanted=merit.wants_speed),
        2,
    )


def _speed(fit: Fit, *, wanted: bool) -> float:
    if fit.speed is None or fit.speed.decode is None:
        return 0.0
    rate = fit.speed.decode.typical
    slow = next((points for below, points in SLOW if rate < below), 0.0)
    return slow + (WANTED_SPEED * math.log10(max(rate, 1.0)) if wanted else 0.0)
