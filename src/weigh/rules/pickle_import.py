"""A pickle names something that no honest checkpoint needs: loading it would run that."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.finding import Finding
from weigh.core.observation import Observation
from weigh.core.rule import Evidence, Examined, Rule
from weigh.core.saying import Saying
from weigh.knowledge.imports import tier_of

MOST_NAMED = 10


def check(evidence: Evidence) -> Iterator[Finding]:
    """A finding for each dangerous name, one for all unknown names of a file, one for names not in the file."""
    for file in evidence.files:
        yield from _file(file)


def _file(file: Examined) -> Iterator[Finding]:
    unknown: dict[str, Observation] = {}
    for seen in file.observations:
        if seen.kind in ("extension", "persistent_id"):
            yield _elsewhere(file, seen)
        if seen.kind != "import":
            continue
        module, _, name = seen.value.partition(" ")
        if file.format == "torchscript" and module.split(".")[0] == "__torch__":
            continue  # a class that the archive itself compiles; no Python module is imported for it
        tier = tier_of(module, name)
        if tier == "dangerous":
            yield _dangerous(file, seen, module, name)
        elif tier == "unknown":
            unknown.setdefault(f"{module}.{name}", seen)
    if unknown:
        yield _unknown(file, unknown)


def _elsewhere(file: Examined, seen: Observation) -> Finding:
    """By a number or a mark that another program must know."""
    by_number = seen.kind == "extension"
    where = seen.where or file.path
    return Finding(
        rule=RULE.id,
        severity="high" if by_number else "medium",
        confidence="likely" if by_number else "possible",
        path=file.path,
        offset=seen.offset,
        verdict="suspicious",
        detail=Saying("finding.pickle-import.extension", code=seen.value)
        if by_number
        else Saying("finding.pickle-import.persistent", where=where),
    )


def _dangerous(file: Examined, seen: Observation, module: str, name: str) -> Finding:
    key = "computed" if module == "?" else "dangerous"
    return Finding(
        rule=RULE.id,
        severity="critical",
        confidence="certain" if key == "dangerous" else "likely",
        path=file.path,
        offset=seen.offset,
        verdict="malicious",
        detail=Saying(f"finding.pickle-import.{key}", name=f"{module}.{name}", where=seen.where or file.path),
    )


def _unknown(file: Examined, unknown: dict[str, Observation]) -> Finding:
    names = sorted(unknown)
    listed = ", ".join(names[:MOST_NAMED]) + (" ..." if len(names) > MOST_NAMED else "")
    first = min(unknown.values(), key=lambda seen: seen.offset or 0)
    return Finding(
        rule=RULE.id,
        severity="medium",
        confidence="possible",
        path=file.path,
        offset=first.offset,
        verdict="suspicious",
        detail=Saying("finding.pickle-import.unknown", names=listed, count=len(names)),
    )


RULE = Rule(id="pickle-import", check=check)
