"""What a family of open weights is good for, in which languages, and which of its models to weigh."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.core.value import Value
from weigh.knowledge import Row, read_table

Grade = Literal[1, 2, 3]
ALL_LANGUAGES = "*"


class Candidate(Value, frozen=True, kw_only=True):
    """One model of a family: its hub id, size as families write it, licence and tasks where they are its own."""

    id: str
    size: str
    licence: str | None = None
    tasks: tuple[str, ...] = ()


class Aptitude(Row, frozen=True, kw_only=True):
    """`id` is the family's. Grades: 1 can do it, 2 is good at it, 3 is made for it or among the best that are open.

    `languages` are ISO 639 codes, `*` for dozens of them, or where language does not matter. `models` stand for the
    family's ids where their names do not say their size, or licences differ; `packed` is how they are published.
    """

    tasks: Mapping[str, Grade]
    languages: tuple[str, ...]
    field: str | None = None
    packed: str | None = None
    models: tuple[Candidate, ...] = ()


@functools.cache
def aptitudes() -> tuple[Aptitude, ...]:
    """Every row."""
    return read_table("aptitudes", Aptitude)
