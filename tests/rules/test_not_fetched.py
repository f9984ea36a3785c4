"""What was left on a server is said, and makes incomplete only what a loader would have read."""

from __future__ import annotations

import pytest

from weigh.core.header import Problem
from weigh.core.rule import Evidence, Examined
from weigh.core.saying import Saying
from weigh.rules import judge


@pytest.mark.parametrize(("kind", "matters"), [("not-fetched", True), ("left-there", None)])
def test_what_was_not_fetched_is_a_skip_and_no_finding(kind: str, matters: bool | None) -> None:
    detail = Saying("error.http.changed")
    file = Examined(path="m.bin", format="pytorch", nbytes=9, problems=(Problem(kind=kind, detail=detail),))
    findings, skips = judge(Evidence(files=(file,)))
    assert findings == ()
    assert [(skip.path, skip.reason, skip.matters, skip.detail) for skip in skips] == [
        ("m.bin", "not-fetched", matters, detail)
    ]
