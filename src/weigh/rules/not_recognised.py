"""A file whose content no format of ours recognises was not looked at."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Skip
from weigh.core.rule import Evidence, Rule


def check(evidence: Evidence) -> Iterator[Skip]:
    """A Skip for each; an empty or unreadable file has its finding already."""
    for file in evidence.files:
        if file.format == "unknown" and not file.problems:
            yield Skip(rule=RULE.id, path=file.path, reason="not-recognised", matters=True)


RULE = Rule(id="not-recognised", check=check)
