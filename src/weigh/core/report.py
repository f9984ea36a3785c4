"""The answer to `weigh REF`: what, true, safe and what next, in one value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

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


class Named(Value, frozen=True, kw_only=True):
    """An entry of the catalogue by its id and its name in each language."""

    id: str
    names: Mapping[str, str]


class Terms(Named, frozen=True, kw_only=True):
    """A licence and what it allows; `user_limit` is monthly users."""

    commercial: Literal["yes", "no", "conditional"]
    hosting: Literal["yes", "no", "conditional"]
    attribution: bool | None = None
    user_limit: int | None = None


class Provenance(Value, frozen=True, kw_only=True):
    """What the catalogue says of the family that a hub id or a name belongs to; `found_by` tells which of the two.

    `uploaded_by` is who put it on the hub, where that is not the vendor; `also_on` the same weights on the other hub.
    `wrong_name` is the erratum that says that nothing is so called. `is_stale`: the data are older than 180 days.
    """

    found_by: Literal["hub_id", "name"]
    family: Named
    vendor: Named
    uploaded_by: str | None = None
    released: str | None = None
    age_days: int | None = None
    status: Literal["current", "superseded", "retired"]
    superseded_by: tuple[Named, ...] = ()
    weights: Literal["open", "closed", "unreleased"]
    licences: tuple[Terms, ...] = ()
    also_on: tuple[str, ...] = ()
    wrong_name: str | None = None
    confidence: Literal["high", "medium", "low"]
    source: str
    as_of: str
    is_stale: bool


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
    catalog: Provenance | None = None
    error: Failure | None = None


class FitReport(Value, frozen=True, kw_only=True):
    """The answer to `weigh fit REF`: one Fit a device."""

    schema: int
    reference: Reference
    fits: tuple[Fit, ...] = ()
    error: Failure | None = None
