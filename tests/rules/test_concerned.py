"""A rule is loaded where there is something that it speaks of, and has nothing to say elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from weigh.app.examine import examine
from weigh.core.claim import Claim
from weigh.core.facts import Origin
from weigh.core.header import Header, Problem
from weigh.core.observation import Kind, Observation
from weigh.core.rule import Evidence, Examined
from weigh.core.saying import Saying
from weigh.formats import PLACES as FORMATS
from weigh.rules import CLAIM, FOLDER, PLACES, PROBLEM, RULES, concerned
from weigh.sources.memory import MemorySource

KINDS = (*get_args(Kind), PROBLEM, CLAIM, FOLDER)
SAMPLES = sorted(path for path in (Path(__file__).parents[1] / "samples").rglob("*") if path.is_file())
SAID = (
    "os system",
    "total_size 12345",
    "{{ ''.__class__ }}",
    "/etc/passwd",
    "program",
    "Lambda",
    "PyFunc",
    "12",
    "memo",
)
PROBLEMS = ("truncated", "malformed", "over-budget", "unreadable", "slip", "missing-shard", "gap", "not-decoded")


def evidence(there: set[str]) -> Evidence:
    """A file of every format with all that may be seen in one, of these kinds."""
    seen = tuple(Observation(kind=kind, value=said) for kind in get_args(Kind) if kind in there for said in SAID)
    told = tuple(Problem(kind=kind, detail=Saying("problem.gap", nbytes=3)) for kind in PROBLEMS)
    claim = Claim(
        field="family", said="A", found="B", verdict="does_not_hold", said_by=Origin.NAME, found_by=Origin.HEADER,
        because=Saying("claim.family.other"),
    )  # fmt: skip
    files = tuple(
        Examined(path=f"m{at}.bin", format=name, nbytes=9, observations=seen, problems=told if PROBLEM in there else ())
        for at, name in enumerate(sorted({name for name, _ in FORMATS}))
    )
    header = Header(format="huggingface", metadata={"total_size": 12345})
    folder = Examined(path=".", format="huggingface", nbytes=9, header=header) if FOLDER in there else None
    return Evidence(files=files, folder=folder, claims=(claim,) if CLAIM in there else ())


@pytest.mark.parametrize(("place", "at"), [(place, at) for at, place in enumerate(PLACES) if place[1]], ids=str)
def test_a_rule_says_nothing_of_what_is_not_its_own(place: tuple[str, tuple[str, ...]], at: int) -> None:
    assert set(place[1]) <= set(KINDS)
    assert [*RULES[at].check(evidence(set(KINDS) - set(place[1])))] == []


def test_all_rules_are_asked_where_there_is_something_of_everything() -> None:
    assert [*concerned(evidence(set(KINDS)))] == [*RULES]


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_a_rule_that_is_not_asked_had_nothing_to_say(path: Path) -> None:
    seen = Evidence(files=(examine(MemorySource(path.read_bytes(), path=path.name)),))
    asked = [*concerned(seen)]
    assert [rule.id for rule in RULES if rule not in asked and [*rule.check(seen)]] == []


def test_a_file_with_nothing_to_tell_loads_few_rules() -> None:
    code = (
        "import sys; from weigh.rules import judge; from weigh.core.rule import Evidence; judge(Evidence()); "
        "assert 'weigh.rules.not_recognised' in sys.modules; "
        "assert not {'weigh.rules.pickle_import', 'weigh.rules.template_code', 'weigh.codecs.jinja'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
