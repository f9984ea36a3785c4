"""Reports as SARIF 2.1.0 (OASIS), for code hosts and editors."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from weigh.core.finding import Finding, Severity, Skip, fingerprint
from weigh.core.report import Report
from weigh.text import Language, complain_about, has_words, say

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: dict[Severity, str] = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
SCORES: dict[Severity, str] = {"critical": "9.5", "high": "8.0", "medium": "5.0", "low": "2.0", "info": "0.0"}


def sarif(reports: Sequence[Report], language: Language, *, version: str) -> dict[str, Any]:
    """One run over all references; a rule stands once; nothing in it is null."""
    findings = [(report, finding) for report in reports for finding in report.findings]
    rules = sorted({finding.rule for _, finding in findings})
    notes = [note for report in reports for note in _notifications(report, language)]
    run = {
        "tool": {
            "driver": {
                "name": "weigh",
                "version": version,
                "rules": [_rule(id, language, [f for _, f in findings if f.rule == id]) for id in rules],
            }
        },
        "invocations": [{"executionSuccessful": not notes, **({"toolExecutionNotifications": notes} if notes else {})}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(report, finding, rules.index(finding.rule), language) for report, finding in findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(id: str, language: Language, findings: Iterable[Finding]) -> dict[str, Any]:
    worst = min((finding.severity for finding in findings), key=list(LEVELS).index)
    rule: dict[str, Any] = {"id": id, "properties": {"security-severity": SCORES[worst], "tags": ["security"]}}
    parts = (("shortDescription", "title"), ("fullDescription", "why"), ("help", "fix"))
    for field, part in parts:
        if has_words(f"rule.{id}.{part}", language):
            rule[field] = {"text": say(f"rule.{id}.{part}", language)}
    return rule


def _result(report: Report, finding: Finding, index: int, language: Language) -> dict[str, Any]:
    outer, _, member = finding.path.partition("!/")
    place: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(report, outer)}}}
    if finding.offset is not None and not member:
        place["physicalLocation"]["region"] = {"byteOffset": finding.offset, "byteLength": 0}
    if member:
        place["logicalLocations"] = [{"fullyQualifiedName": member, "kind": "member"}]
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": say(finding.detail, language)},
        "locations": [place],
        "partialFingerprints": {"weigh/v1": fingerprint(finding)},
        "properties": {"severity": finding.severity, "confidence": finding.confidence},
    }


def _uri(report: Report, path: str) -> str:
    """Of the file as seen from where the program runs, in the form of an URI reference."""
    root = report.reference.name
    whole = root if path in (root, ".") or os.path.isabs(path) else os.path.join(root, path)
    plain = whole.replace(os.sep, "/")
    encoded = quote(plain.encode("utf-8", "surrogateescape"), safe="/~")
    return f"file://{encoded}" if plain.startswith("/") else encoded


def _notifications(report: Report, language: Language) -> Iterator[dict[str, Any]]:
    """What could not be done, and what a loader would read that was not looked at."""
    if report.error is not None:
        yield {"level": "error", "message": {"text": complain_about(report.error, language)}}
    for skip in report.skips:
        if skip.matters:
            yield _skipped(report, skip, language)


def _skipped(report: Report, skip: Skip, language: Language) -> dict[str, Any]:
    text = say(skip.detail, language) if skip.detail is not None else say(f"skip.{skip.reason}", language)
    return {
        "level": "warning",
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(report, skip.path.partition("!/")[0])}}}],
    }
