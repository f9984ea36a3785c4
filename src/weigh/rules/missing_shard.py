"""An index names files that are not there."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Finding
from weigh.core.rule import Evidence, Rule, told_by


def check(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each such problem."""
    return told_by(evidence, RULE.id, "missing-shard", "broken")


RULE = Rule(id="missing-shard", check=check)
