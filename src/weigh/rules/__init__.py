"""The checks, one file each: pure over observations, model and claims."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Sequence
from typing import overload

from weigh.core.finding import SEVERITIES, Finding, Skip
from weigh.core.rule import Evidence, Rule

PROBLEM, CLAIM, FOLDER = "a problem", "a claim", "a folder"
# A rule's module, and the kinds of observation, or what else, without any of which it has nothing to say; a module is
# loaded when there is something of the kind. What stands without them is always asked.
PLACES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("pickle_import", ("import", "extension", "persistent_id")),
    ("pickle_bomb", ("bomb",)),
    ("repository_code", ()),
    ("template_code", ("template",)),
    ("template_suspicious", ("template",)),
    ("external_path", ("external_path",)),
    ("operators", ("operator", "layer", "code")),
    ("embedded", ("embedded",)),
    ("truncated", (PROBLEM,)),
    ("malformed", (PROBLEM, "stream_error")),
    ("archive_slip", (PROBLEM,)),
    ("missing_shard", (PROBLEM,)),
    ("lfs_pointer", ("pointer",)),
    ("html_page", ()),
    ("unreadable", (PROBLEM,)),
    ("declared_total", (FOLDER,)),
    ("suffix_mismatch", ()),
    ("not_recognised", ()),
    ("untrue_name", (CLAIM,)),
    ("not_covered", (PROBLEM,)),
)


class Rules(Sequence[Rule]):
    """The rules of these modules, each loaded when it is asked for."""

    def __init__(self, modules: tuple[str, ...]) -> None:
        self.modules = modules

    def __len__(self) -> int:
        return len(self.modules)

    @overload
    def __getitem__(self, index: int) -> Rule: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Rule]: ...

    def __getitem__(self, index: int | slice) -> Rule | Sequence[Rule]:
        return Rules(self.modules[index]) if isinstance(index, slice) else _load(self.modules[index])


RULES = Rules(tuple(module for module, _ in PLACES))


def judge(evidence: Evidence) -> tuple[tuple[Finding, ...], tuple[Skip, ...]]:
    """Every rule's findings, the worst first, and its skips."""
    said = [one for rule in concerned(evidence) for one in rule.check(evidence)]
    findings = [one for one in said if isinstance(one, Finding)]
    findings.sort(key=lambda finding: (SEVERITIES.index(finding.severity), finding.path))
    return tuple(findings), tuple(one for one in said if isinstance(one, Skip))


def concerned(evidence: Evidence) -> Sequence[Rule]:
    """The rules that may have something to say."""
    files = (*evidence.files, *([evidence.folder] if evidence.folder else []))
    there: set[str] = {seen.kind for file in files for seen in file.observations}
    there |= {PROBLEM} if any(file.problems for file in files) else set()
    there |= {CLAIM} if evidence.claims else set()
    there |= {FOLDER} if evidence.folder else set()
    return Rules(tuple(module for module, kinds in PLACES if not kinds or not there.isdisjoint(kinds)))


@functools.cache
def _load(module: str) -> Rule:
    rule = importlib.import_module(f"weigh.rules.{module}").RULE
    assert isinstance(rule, Rule)
    return rule
