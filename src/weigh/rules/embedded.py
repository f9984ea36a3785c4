"""Another file is hidden in this one."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Finding
from weigh.core.observation import Observation
from weigh.core.rule import Evidence, Examined, Rule
from weigh.core.saying import Saying

PROGRAMS = ("elf", "exe", "mach-o", "script")
_NO_PLACE_FOR_PICKLES = ("hdf5", "keras", "keras-h5")


def check(evidence: Evidence) -> Iterator[Finding]:
    """Programs anywhere; any file in bytes that nothing refers to; a pickle where the format has no place for one."""
    for file in evidence.files:
        told: set[str] = set()
        for seen in file.observations:
            if seen.kind == "embedded" and seen.value not in told and _is_hidden(file, seen):
                told.add(seen.value)
                yield Finding(
                    rule=RULE.id,
                    severity="high",
                    confidence="likely",
                    path=file.path,
                    offset=seen.offset,
                    verdict="suspicious",
                    detail=Saying("finding.embedded", value=seen.value, where=seen.where or file.path),
                )


def _is_hidden(file: Examined, seen: Observation) -> bool:
    in_a_gap = (seen.where or "").startswith("gap ")
    return seen.value in PROGRAMS or in_a_gap or (seen.value == "pickle" and file.format in _NO_PLACE_FOR_PICKLES)


RULE = Rule(id="embedded", check=check)
