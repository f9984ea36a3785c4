"""What a check found, and what it could not look at."""

from __future__ import annotations

from typing import Literal

from weigh.core.saying import Saying
from weigh.core.value import Value

Severity = Literal["critical", "high", "medium", "low", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")
Confidence = Literal["certain", "likely", "possible"]
Verdict = Literal["malicious", "broken", "suspicious", "incomplete", "clean"]
VERDICTS: tuple[Verdict, ...] = ("malicious", "broken", "suspicious", "incomplete", "clean")  # the worst first


class Finding(Value, frozen=True, kw_only=True):
    """`verdict` is what this finding alone makes of the file; None where it is only worth a word."""

    rule: str
    severity: Severity
    confidence: Confidence
    path: str
    offset: int | None = None
    verdict: Verdict | None = None
    detail: Saying


class Skip(Value, frozen=True, kw_only=True):
    """What was not looked at. `reason` is a key under `skip.`; `matters` says a loader would read those bytes."""

    rule: str
    path: str
    reason: str
    detail: Saying | None = None
    matters: bool | None = None


def fingerprint(finding: Finding) -> str:
    """The same for the same finding of another run, wherever in the file it stands."""
    import hashlib  # of use to few

    values = sorted((key, str(value)) for key, value in finding.detail.values.items())
    text = repr((finding.rule, finding.path, finding.detail.key, values))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
