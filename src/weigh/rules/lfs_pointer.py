"""A Git LFS pointer lies where the weights should."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Finding
from weigh.core.rule import Evidence, Rule
from weigh.core.saying import Saying


def check(evidence: Evidence) -> Iterator[Finding]:
    """The pointer's own size, and that of what it stands for."""
    for file in evidence.files:
        for seen in file.observations:
            if seen.kind == "pointer" and seen.value.isdigit():
                yield Finding(
                    rule=RULE.id,
                    severity="high",
                    confidence="certain",
                    path=file.path,
                    verdict="broken",
                    detail=Saying("finding.lfs-pointer", nbytes=file.nbytes, size=int(seen.value)),
                )


RULE = Rule(id="lfs-pointer", check=check)
