"""What the name or the card says is not what the files hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from weigh.core.claim import Claim, Field
from weigh.core.facts import Origin
from weigh.core.finding import Finding, Severity
from weigh.core.rule import Evidence, Rule
from weigh.core.saying import Saying

# What else was paid for, fetched or trusted matters more than what merely does not work as said.
_SEVERITY: Mapping[Field, Severity] = {
    "weights": "medium",
    "family": "medium",
    "version": "medium",
    "base_model": "medium",
    "size": "medium",
    "active_size": "medium",
    "quant": "medium",
    "bits_per_weight": "medium",
}


def check(evidence: Evidence) -> Iterator[Finding]:
    """One for each claim that does not hold; it makes no file unsafe."""
    path = evidence.files[0].path if evidence.folder is None and evidence.files else "."
    for claim in evidence.claims:
        if claim.verdict == "does_not_hold":
            severity = _SEVERITY.get(claim.field, "low")
            yield Finding(rule=RULE.id, severity=severity, confidence="likely", path=path, detail=_detail(claim))


def _detail(claim: Claim) -> Saying:
    if claim.found is None:
        return Saying("finding.untrue-name.missing", said=claim.said)
    if claim.said_by is Origin.NAME:
        return Saying("finding.untrue-name.name", said=claim.said, found=claim.found)
    return Saying("finding.untrue-name.card", said=claim.said, found=claim.found)


RULE = Rule(id="untrue-name", check=check)
