"""A chat template hides something, or says more than a chat needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from weigh.codecs.templates import templates_in
from weigh.core.finding import Finding, Severity
from weigh.core.rule import Evidence, Rule
from weigh.core.saying import Saying

if TYPE_CHECKING:
    from weigh.codecs.jinja import Seen, Trait

# A link is worth a word and no more: makers name their pages.
TRAITS: Mapping[Trait, Severity] = {
    "conditional": "high",
    "object": "high",
    "instruction": "medium",
    "invisible": "medium",
    "padding": "medium",
    "script": "medium",
    "budget": "medium",
    "syntax": "medium",
    "link": "low",
}


def check(evidence: Evidence) -> Iterator[Finding]:
    """One finding for each such trait of a template."""
    for path, seen, traits in templates_in(evidence):
        for kind, severity in TRAITS.items():
            trait = next((one for one in traits if one.trait == kind), None)
            if trait is not None:
                yield _finding(path, seen.where or path, trait, severity)


def _finding(path: str, where: str, trait: Seen, severity: Severity) -> Finding:
    return Finding(
        rule=RULE.id,
        severity=severity,
        confidence="likely" if severity == "high" else "possible",
        path=path,
        verdict=None if severity == "low" else "suspicious",
        detail=Saying(
            f"finding.template-suspicious.{trait.trait}", where=where, line=trait.line or 1, value=trait.value
        ),
    )


RULE = Rule(id="template-suspicious", check=check)
