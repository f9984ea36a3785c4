"""The content is of another format than the suffix says."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

from weigh.core.finding import Finding, Severity, Verdict
from weigh.core.rule import Evidence, Examined, Rule
from weigh.core.saying import Saying
from weigh.formats import FORMATS
from weigh.knowledge.suffix_claims import suffix_claims

# Loading these runs what they name.
UNPICKLED = frozenset({"pickle", "pytorch", "pytorch-legacy", "pytorch-tar", "torchscript", "joblib"})
NO_MODEL = frozenset({"text", "json", "jsonl", "csv", "parquet", "python", "image", "pdf", "link-text", "other"})
# Told by rules of their own, or by nothing at all.
NOT_ASKED = frozenset({"unknown", "html", "git-lfs-pointer"})


def check(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each file whose suffix makes a claim that its content does not keep."""
    for file in evidence.files:
        suffix = _suffix(file.path)
        if file.format not in NOT_ASKED and file.nbytes and not _may_hold(suffix, file.format):
            yield _finding(file, suffix)


def _suffix(path: str) -> str:
    name = path.rpartition("/")[2]
    stem, dot, end = name.rpartition(".")
    return f".{end.lower()}" if dot and stem else ""


def _may_hold(suffix: str, format: str) -> bool:
    table = suffix_claims().get(suffix)
    if table is not None:
        return "*" in table or format in table
    claimed = _claimed().get(suffix)
    return claimed is None or format in claimed


@functools.cache
def _claimed() -> Mapping[str, frozenset[str]]:
    """What the formats themselves say, for suffixes that the table leaves out."""
    found: dict[str, set[str]] = {}
    for format in FORMATS:
        for suffix in format.suffixes:
            found.setdefault(suffix, set()).add(format.name)
    return {suffix: frozenset(names) for suffix, names in found.items()}


def _finding(file: Examined, suffix: str) -> Finding:
    key, severity, verdict = _weight(file, suffix)
    return Finding(
        rule=RULE.id,
        severity=severity,
        confidence="certain",
        path=file.path,
        verdict=verdict,
        detail=Saying(f"finding.suffix-mismatch.{key}", suffix=suffix, format=file.format),
    )


def _weight(file: Examined, suffix: str) -> tuple[str, Severity, Verdict | None]:
    """A pickle or a program under another name can do harm; what is no model cannot be loaded as one."""
    if file.format in UNPICKLED:
        return "unpickled", "medium", "suspicious"
    if file.header is not None and file.header.metadata.get("kind") == "program":
        return "program", "medium", "suspicious"
    claimed = suffix_claims().get(suffix, _claimed().get(suffix, frozenset()))
    if file.format in NO_MODEL and claimed.isdisjoint(NO_MODEL):
        return "no_model", "medium", "broken"
    return "other", "low", None


RULE = Rule(id="suffix-mismatch", check=check)
