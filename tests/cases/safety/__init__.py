"""Inert cases for the checks of safety: each a name, what it should be called, and the files it is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

Files = Mapping[str, bytes]  # path -> content; one file alone is checked as a file, several as a folder


class Case(NamedTuple):
    """`verdict` is what weigh should say; several, joined by `|`, where more than one is right."""

    name: str
    verdict: str
    files: Callable[[], Files]


def cases() -> tuple[Case, ...]:
    """All of them, in order."""
    from tests.cases.safety import archives, folders, ggufs, pickles, templates

    return tuple(case for module in (pickles, archives, ggufs, templates, folders) for case in module.CASES)
