"""What a check is to the program: an id and one pure function over the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from weigh.core.claim import Claim
from weigh.core.finding import Finding, Skip, Verdict
from weigh.core.header import Header, Problem
from weigh.core.model import Model
from weigh.core.observation import Observation
from weigh.core.value import Value


class Examined(Value, frozen=True, kw_only=True):
    """One file as read and examined. `problems` are its header's and those that ended its reading
    (`truncated`, `malformed`, `over-budget`, `unreadable`)."""

    path: str
    format: str
    nbytes: int
    header: Header | None = None
    problems: tuple[Problem, ...] = ()
    observations: tuple[Observation, ...] = ()


class Evidence(Value, frozen=True, kw_only=True):
    """All files of one reference; `folder` is the header of a folder format, its path is `.`."""

    files: tuple[Examined, ...] = ()
    folder: Examined | None = None
    model: Model | None = None
    claims: tuple[Claim, ...] = ()


def told_by(evidence: Evidence, rule: str, kind: str, verdict: Verdict) -> Iterator[Finding]:
    """A finding of `rule` for each problem of this kind, in the problem's own words: it is certain, and high."""
    for file in (*evidence.files, *([evidence.folder] if evidence.folder else [])):
        for problem in file.problems:
            if problem.kind == kind:
                yield Finding(
                    rule=rule,
                    severity="high",
                    confidence="certain",
                    path=file.path,
                    offset=problem.offset,
                    verdict=verdict,
                    detail=problem.detail,
                )


class Rule(Value, frozen=True, kw_only=True):
    """`id` as printed, allowed and documented."""

    id: str
    check: Callable[[Evidence], Iterator[Finding | Skip]]
