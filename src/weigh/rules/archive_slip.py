"""An archive holds a name or a link that leads out of the folder it is unpacked to."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Finding
from weigh.core.rule import Evidence, Rule


def check(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each, in the problem's own words."""
    for file in evidence.files:
        for problem in file.problems:
            if problem.kind == "slip":
                yield Finding(
                    rule=RULE.id,
                    severity="high",
                    confidence="certain",
                    path=file.path,
                    offset=problem.offset,
                    verdict="suspicious",
                    detail=problem.detail,
                )


RULE = Rule(id="archive-slip", check=check)
