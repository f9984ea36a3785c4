"""A figure and who says so."""

from __future__ import annotations

from enum import Enum
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Origin(Enum):
    """Who says so. ORDER gives the usual order of trust."""

    ASSUMED = "assumed"
    NAME = "name"
    CARD = "card"
    HUB = "hub"
    CONFIG = "config"
    HEADER = "header"
    COUNTED = "counted"


ORDER = tuple(Origin)


class Fact(msgspec.Struct, Generic[T], frozen=True, omit_defaults=True):
    """`Fact(32768, Origin.CONFIG, "config.json")`."""

    value: T
    origin: Origin
    where: str | None = None
