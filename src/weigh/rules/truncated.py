"""Bytes are missing that the file itself says it has."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Finding
from weigh.core.rule import Evidence, Rule, told_by


def check(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each such problem."""
    return told_by(evidence, RULE.id, "truncated", "broken")


RULE = Rule(id="truncated", check=check)
