"""A file that was looked at only in part: more than this program is willing to walk, or packed or locked for it."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Skip
from weigh.core.rule import Evidence, Rule

KINDS = ("over-budget", "encrypted", "not-decoded")
MOST_OF_A_FILE = 20


def check(evidence: Evidence) -> Iterator[Skip]:
    """A Skip for each budget that was reached and each part that could not be opened."""
    for file in (*evidence.files, *([evidence.folder] if evidence.folder else [])):
        for problem in [one for one in file.problems if one.kind in KINDS][:MOST_OF_A_FILE]:
            yield Skip(rule=RULE.id, path=file.path, reason=problem.kind, detail=problem.detail, matters=True)


RULE = Rule(id="not-covered", check=check)
