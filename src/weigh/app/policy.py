"""What a user or a company allows: a TOML file laid over a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from weigh.app.judge import accounts_of, verdicts, worst
from weigh.app.wish import Weighed
from weigh.core.errors import SourceError, TableError
from weigh.core.finding import Finding, Severity, fingerprint
from weigh.core.report import Report
from weigh.core.saying import Saying
from weigh.core.value import Value
from weigh.formats import of_name

UNPICKLING = ("pytorch", "pytorch-legacy", "pytorch-tar", "pickle", "joblib", "npy", "npz")
SERIOUS = ("critical", "high")
RULE = "policy"


class Policy(Value, frozen=True, kw_only=True):
    """Each key of the file; what is not given is not asked. `levels` maps a rule to a severity, or to `off`."""

    fail_on: Severity | None = None
    levels: Mapping[str, Severity | Literal["off"]] = {}
    allowed_formats: tuple[str, ...] | None = None
    licences: tuple[str, ...] | None = None
    safetensors_only: bool = False
    allow: tuple[str, ...] = ()


def read_policy(path: str) -> Policy:
    """Raises SourceError for a file that cannot be read, TableError for a key or value that is none."""
    import tomllib  # few have a file of this kind

    try:
        with open(path, "rb") as file:
            table = tomllib.load(file)
        return msgspec.convert(table, Policy)
    except OSError as error:
        raise SourceError("cannot_read", path=path, reason=error.strerror or str(error)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise TableError("policy", path=path, problem=str(error)) from error


def laid_over(weighed: Weighed, policy: Policy, baseline: frozenset[str] = frozenset()) -> Report:
    """The report as the policy has it: levels changed, what the baseline knows left out, what is not allowed added."""
    report = weighed.report
    kept = [one for one in (_levelled(f, policy) for f in report.findings) if one is not None]
    kept = [one for one in kept if fingerprint(one) not in baseline]
    added = [one for one in _demands(report, policy) if fingerprint(one) not in baseline]
    if len(kept) == len(report.findings) and not added and not policy.levels:
        return report
    findings = (*added, *kept)
    files = accounts_of(report.files, findings, report.skips)
    verdict = worst([*(f.verdict for f in files), *verdicts(findings, report.skips)])
    return msgspec.structs.replace(report, findings=findings, files=files, verdict=verdict)


def _levelled(finding: Finding, policy: Policy) -> Finding | None:
    level = policy.levels.get(finding.rule)
    if level is None:
        return finding
    if level == "off":
        return None
    verdict = finding.verdict if level in SERIOUS or level == "medium" else None
    return msgspec.structs.replace(finding, severity=level, verdict=verdict)


def _demands(report: Report, policy: Policy) -> Iterator[Finding]:
    """Formats that are not allowed."""
    for file in report.files:
        try:
            is_model = of_name(file.format).is_model and file.format != "unknown"
        except KeyError:
            is_model = False
        allowed = policy.allowed_formats
        if is_model and allowed is not None and file.format not in allowed:
            yield _demand(file.path, Saying("finding.policy.format", format=file.format))
        elif policy.safetensors_only and file.format in UNPICKLING:
            yield _demand(file.path, Saying("finding.policy.safetensors_only", format=file.format))
    if policy.licences is not None and report.model is not None:
        fact = report.model.licence
        licence = fact.value if fact is not None else "-"
        if licence.lower() not in {one.lower() for one in policy.licences}:
            yield _demand(".", Saying("finding.policy.licence", licence=licence))


def _demand(path: str, detail: Saying) -> Finding:
    return Finding(rule=RULE, severity="high", confidence="certain", path=path, verdict="suspicious", detail=detail)
