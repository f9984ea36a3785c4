"""Bytes are missing that the file itself says it has."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Finding
from weigh.core.rule import Evidence, Rule

KINDS = ("truncated",)


def check(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each such problem, in the problem's own words."""
    for file in (*evidence.files, *([evidence.folder] if evidence.folder else [])):
        for problem in file.problems:
            if problem.kind in KINDS:
                yield Finding(
                    rule=RULE.id,
                    severity="high",
                    confidence="certain",
                    path=file.path,
                    offset=problem.offset,
                    verdict="broken",
                    detail=problem.detail,
                )


RULE = Rule(id="truncated", check=check)
