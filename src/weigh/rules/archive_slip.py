"""An archive holds a name or a link that leads out of the folder it is unpacked to."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Finding
from weigh.core.rule import Evidence, Rule, told_by


def check(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each such problem."""
    return told_by(evidence, RULE.id, "slip", "suspicious")


RULE = Rule(id="archive-slip", check=check)
