"""A claim that does not hold is a finding, and never more than medium."""

from __future__ import annotations

import pytest

from weigh.core.claim import Claim, Field, Verdict
from weigh.core.facts import Origin
from weigh.core.finding import Finding
from weigh.core.rule import Evidence, Examined
from weigh.core.saying import Saying
from weigh.rules import judge


def claimed(field: Field, verdict: Verdict, *, by: Origin = Origin.NAME, found: str | None = "1B") -> list[Finding]:
    claim = Claim(field=field, said="7B", found=found, verdict=verdict, said_by=by, because=Saying("claim.size.holds"))
    file = Examined(path="a.gguf", format="gguf", nbytes=1)
    return [one for one in judge(Evidence(files=(file,), claims=(claim,)))[0] if one.rule == "untrue-name"]


@pytest.mark.parametrize(("field", "severity"), [("size", "medium"), ("weights", "medium"), ("context", "low")])
def test_a_lie_is_told_by_how_much_it_matters_and_makes_nothing_unsafe(field: Field, severity: str) -> None:
    (finding,) = claimed(field, "does_not_hold")
    assert (finding.severity, finding.verdict, finding.path) == (severity, None, "a.gguf")


@pytest.mark.parametrize("verdict", ["holds", "cannot_tell"])
def test_what_holds_or_cannot_be_told_is_no_finding(verdict: Verdict) -> None:
    assert claimed("size", verdict) == []


@pytest.mark.parametrize(
    ("by", "found", "key"),
    [(Origin.NAME, "1B", "name"), (Origin.NAME, None, "missing"), (Origin.CARD, "llama", "card")],
)
def test_it_is_said_who_says_so(by: Origin, found: str | None, key: str) -> None:
    (finding,) = claimed("base_model", "does_not_hold", by=by, found=found)
    assert finding.detail.key == f"finding.untrue-name.{key}"
