"""How a claim is written down."""

from __future__ import annotations

from weigh.core.claim import Claim, Field, Verdict
from weigh.core.facts import Origin
from weigh.core.saying import Saying

_COUNTED = ("size", "active_size", "quant", "bits_per_weight", "weights")


def claim(field: Field, said: str, found: str | None, verdict: Verdict, because: Saying) -> Claim:
    """What a name says, beside what was found."""
    by = None if found is None else Origin.COUNTED if field in _COUNTED else Origin.HEADER
    return Claim(
        field=field, said=said, found=found, verdict=verdict, said_by=Origin.NAME, found_by=by, because=because
    )


def verdict(*, fits: bool) -> Verdict:
    """Of what can be told."""
    return "holds" if fits else "does_not_hold"
