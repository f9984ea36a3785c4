"""What is installed is what is declared: extras, licences, pins."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[1]
DECLARED = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: dict[str, list[str]] = DECLARED["optional-dependencies"]
UNDER_THE_GPL = {"av", "faster-whisper"}  # what their wheels hold; see THIRD_PARTY.md


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=! ;]", one, maxsplit=1)[0].lower() for one in requirements}


def reached(extra: str) -> set[str]:
    """The packages of an extra and of the extras it names."""
    found: set[str] = set()
    for one in EXTRAS[extra]:
        inner = re.fullmatch(r"weigh\[(.+)\]", one)
        found |= set().union(*(reached(name) for name in inner[1].split(","))) if inner else names([one])
    return found


def test_nothing_under_the_gpl_is_in_all() -> None:
    assert not reached("all") & UNDER_THE_GPL


def test_every_package_declared_has_its_licence_told() -> None:
    told = (PROJECT / "THIRD_PARTY.md").read_text("utf-8").lower()
    packages = names(DECLARED["dependencies"]).union(*(reached(extra) for extra in EXTRAS))
    assert sorted(name for name in packages if not re.search(rf"\b{re.escape(name)}\b", told)) == []


def test_the_core_is_pinned_whole() -> None:
    lines = (PROJECT / "requirements" / "core.txt").read_text("utf-8").split()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][\w.]*", line) for line in lines)
    assert names(DECLARED["dependencies"]) <= names(lines)
    told = (PROJECT / "THIRD_PARTY.md").read_text("utf-8").lower()
    assert sorted(name for name in names(lines) if f"| {name} |" not in told) == []
