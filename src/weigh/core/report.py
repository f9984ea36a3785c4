"""The answer to `weigh REF`: what, true, safe and what next, in one value."""

from __future__ import annotations

from weigh.core.claim import Claim
from weigh.core.finding import Finding, Skip, Verdict
from weigh.core.fit import Fit
from weigh.core.model import Model
from weigh.core.name import Name
from weigh.core.reference import Reference
from weigh.core.saying import Saying
from weigh.core.value import Value


class FileReport(Value, frozen=True, kw_only=True):
    """One file: what it is, the worst that was found, whether all that a loader reads was looked at."""

    path: str
    format: str
    nbytes: int
    verdict: Verdict
    covered: bool


class Step(Value, frozen=True, kw_only=True):
    """Something to do next: why, and the command that does it, where one does."""

    why: Saying
    command: str | None = None


class Failure(Value, frozen=True, kw_only=True):
    """Why a reference could not be weighed at all."""

    message: Saying
    path: str | None = None
    offset: int | None = None


class Report(Value, frozen=True, kw_only=True):
    """`verdict` is the worst of the files', None for a name alone. `name` is None where there is no name to read."""

    schema: int
    reference: Reference
    verdict: Verdict | None = None
    format: str | None = None
    name: Name | None = None
    model: Model | None = None
    files: tuple[FileReport, ...] = ()
    claims: tuple[Claim, ...] = ()
    findings: tuple[Finding, ...] = ()
    skips: tuple[Skip, ...] = ()
    fits: tuple[Fit, ...] = ()
    next_steps: tuple[Step, ...] = ()
    error: Failure | None = None


class FitReport(Value, frozen=True, kw_only=True):
    """The answer to `weigh fit REF`: one Fit a device."""

    schema: int
    reference: Reference
    fits: tuple[Fit, ...] = ()
    error: Failure | None = None
