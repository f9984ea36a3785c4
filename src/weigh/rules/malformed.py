"""A file breaks the rules of its own format."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Finding
from weigh.core.header import Problem
from weigh.core.rule import Evidence, Examined, Rule
from weigh.core.saying import Saying

BROKEN = ("malformed", "overlap", "duplicate", "out-of-bounds", "misaligned", "unknown-type")
ODD = ("gap", "trailing")  # readers go on; something could be hidden there
MOST_OF_A_FILE = 20
EMPTY_BY_HABIT = ("__init__.py", "py.typed", ".gitkeep", ".nojekyll")


def check(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each broken rule; a file that breaks one a thousand times is told by the first of them."""
    for file in (*evidence.files, *([evidence.folder] if evidence.folder else [])):
        problems = [problem for problem in file.problems if problem.kind in BROKEN + ODD]
        if file.nbytes == 0 and file.path.endswith(EMPTY_BY_HABIT):
            continue
        yield from (_finding(file, problem) for problem in problems[:MOST_OF_A_FILE])
    yield from _streams(evidence)


def _streams(evidence: Evidence) -> Iterator[Finding]:
    """A pickle inside that breaks off, in a file whose header could be read all the same."""
    for file in evidence.files:
        if any(problem.kind in ("malformed", "truncated", "over-budget") for problem in file.problems):
            continue  # told already
        for seen in file.observations:
            if seen.kind == "stream_error":
                detail = Saying("finding.malformed.stream", where=seen.where or file.path)
                yield _finding(file, Problem(kind="malformed", detail=detail, offset=seen.offset))


def _finding(file: Examined, problem: Problem) -> Finding:
    odd = problem.kind in ODD
    return Finding(
        rule=RULE.id,
        severity="medium" if odd else "high",
        confidence="certain",
        path=file.path,
        offset=problem.offset,
        verdict="suspicious" if odd else "broken",
        detail=problem.detail,
    )


RULE = Rule(id="malformed", check=check)
