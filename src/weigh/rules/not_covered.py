"""A file that was looked at only in part: beyond what this program walks, packed or locked for it, or not fetched."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Skip
from weigh.core.rule import Evidence, Rule

# kind of problem -> reason, and whether a loader would read what was not looked at otherwise than as plain values
_REASONS = {
    "over-budget": ("over-budget", True),
    "encrypted": ("encrypted", True),
    "not-decoded": ("not-decoded", True),
    "not-fetched": ("not-fetched", True),
    "left-there": ("not-fetched", None),
}
MOST_OF_A_FILE = 20


def check(evidence: Evidence) -> Iterator[Skip]:
    """A Skip for each budget that was reached, each part that could not be opened, and what was left on a server."""
    for file in (*evidence.files, *([evidence.folder] if evidence.folder else [])):
        for problem in [one for one in file.problems if one.kind in _REASONS][:MOST_OF_A_FILE]:
            reason, matters = _REASONS[problem.kind]
            yield Skip(rule=RULE.id, path=file.path, reason=reason, detail=problem.detail, matters=matters)


RULE = Rule(id="not-covered", check=check)
