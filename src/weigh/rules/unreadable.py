"""A file that could not be opened or read."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Finding
from weigh.core.rule import Evidence, Rule, told_by


def check(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each such problem."""
    return told_by(evidence, RULE.id, "unreadable", "broken")


RULE = Rule(id="unreadable", check=check)
