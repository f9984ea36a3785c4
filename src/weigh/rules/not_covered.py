"""A file that was looked at only in part, for it is more than this program is willing to walk."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Skip
from weigh.core.rule import Evidence, Rule


def check(evidence: Evidence) -> Iterator[Skip]:
    """A Skip for each budget that was reached."""
    for file in (*evidence.files, *([evidence.folder] if evidence.folder else [])):
        for problem in file.problems:
            if problem.kind == "over-budget":
                yield Skip(rule=RULE.id, path=file.path, reason="over-budget", detail=problem.detail, matters=True)


RULE = Rule(id="not-covered", check=check)
