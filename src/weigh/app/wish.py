"""How to weigh, and what comes of it besides the report."""

from __future__ import annotations

from typing import Literal

from weigh.core.report import Report
from weigh.core.value import Value
from weigh.knowledge.signatures import Signature


class Wish(Value, frozen=True, kw_only=True):
    """Names that pickles may import all the same, files to leave out (their reader died), the files of a folder that
    are looked at (None all), how many at a time, and a company's own formats."""

    allow: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    jobs: int = 1
    signatures: tuple[Signature, ...] = ()


class Named(Value, frozen=True, kw_only=True):
    """A name that the pickles of a file import, and how it is known; `allowed` by whoever asked."""

    name: str
    tier: Literal["safe", "dangerous", "unknown", "allowed"]
    path: str


class Weighed(Value, frozen=True, kw_only=True):
    """A report and the imports behind it."""

    report: Report
    imports: tuple[Named, ...] = ()


PLAIN = Wish()
