"""A pickle would take its loader's memory or time, whatever it holds."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Finding
from weigh.core.rule import Evidence, Rule
from weigh.core.saying import Saying


def check(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each kind in a file: a memo slot far out, a key hashed for ever, a value walked for ever."""
    for file in evidence.files:
        told: set[str] = set()
        for seen in file.observations:
            if seen.kind == "bomb" and seen.value not in told:
                told.add(seen.value)
                yield Finding(
                    rule=RULE.id,
                    severity="high",
                    confidence="certain",
                    path=file.path,
                    offset=seen.offset,
                    verdict="suspicious",
                    detail=Saying(f"finding.pickle-bomb.{seen.value}", where=seen.where or file.path),
                )


RULE = Rule(id="pickle-bomb", check=check)
