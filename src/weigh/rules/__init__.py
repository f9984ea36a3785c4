"""The checks, one file each: pure over observations, model and claims."""

from __future__ import annotations

from weigh.core.finding import SEVERITIES, Finding, Skip
from weigh.core.rule import Evidence, Rule
from weigh.rules import (
    archive_slip,
    declared_total,
    embedded,
    external_path,
    html_page,
    lfs_pointer,
    malformed,
    missing_shard,
    not_covered,
    not_recognised,
    operators,
    pickle_bomb,
    pickle_import,
    repository_code,
    suffix_mismatch,
    template_code,
    template_suspicious,
    truncated,
    unreadable,
    untrue_name,
)

RULES: tuple[Rule, ...] = (
    pickle_import.RULE,
    pickle_bomb.RULE,
    repository_code.RULE,
    template_code.RULE,
    template_suspicious.RULE,
    external_path.RULE,
    operators.RULE,
    embedded.RULE,
    truncated.RULE,
    malformed.RULE,
    archive_slip.RULE,
    missing_shard.RULE,
    lfs_pointer.RULE,
    html_page.RULE,
    unreadable.RULE,
    declared_total.RULE,
    suffix_mismatch.RULE,
    not_recognised.RULE,
    untrue_name.RULE,
    not_covered.RULE,
)


def judge(evidence: Evidence) -> tuple[tuple[Finding, ...], tuple[Skip, ...]]:
    """Every rule's findings, the worst first, and its skips."""
    said = [one for rule in RULES for one in rule.check(evidence)]
    findings = [one for one in said if isinstance(one, Finding)]
    findings.sort(key=lambda finding: (SEVERITIES.index(finding.severity), finding.path))
    return tuple(findings), tuple(one for one in said if isinstance(one, Skip))
