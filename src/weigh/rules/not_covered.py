"""A file that was looked at only in part: more than this program is willing to walk, or not fetched."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Skip
from weigh.core.rule import Evidence, Rule

# kind of problem -> reason, and whether a loader would read what was not looked at otherwise than as plain values
_REASONS = {
    "over-budget": ("over-budget", True),
    "not-fetched": ("not-fetched", True),
    "left-there": ("not-fetched", None),
}


def check(evidence: Evidence) -> Iterator[Skip]:
    """A Skip for each budget that was reached, and for what was left on a server."""
    for file in (*evidence.files, *([evidence.folder] if evidence.folder else [])):
        for problem in file.problems:
            if problem.kind in _REASONS:
                reason, matters = _REASONS[problem.kind]
                yield Skip(rule=RULE.id, path=file.path, reason=reason, detail=problem.detail, matters=matters)


RULE = Rule(id="not-covered", check=check)
