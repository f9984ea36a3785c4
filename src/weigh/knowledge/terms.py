"""The terms that are explained besides quantisations: suffixes, letters, formats."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.knowledge import Row, read_table

TermKind = Literal["size", "version", "quantisation", "function", "tier", "training", "format", "language", "file"]


class Term(Row, frozen=True, kw_only=True):
    """`id` is `kind.value` of a suffix or format, or a term of its own; `aliases` are spellings that no table has.

    `term` is how it is written where that is not the value; `also` holds further sources. Of a format, `opens` says
    what loads it, and `runs_code` whether loading it can run code that it brings along.
    """

    kind: TermKind
    term: str | None = None
    aliases: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    see: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    runs_code: Literal["no", "can", "custom_operators"] | None = None


class Shape(Row, frozen=True, kw_only=True):
    """A kind of term that is read by its shape; `id` is the entry of its words."""

    kind: TermKind
    see: tuple[str, ...] = ()


@functools.cache
def shapes() -> Mapping[str, Shape]:
    """Rows by id."""
    return {row.id: row for row in read_table("shapes", Shape)}


@functools.cache
def terms() -> Mapping[str, Term]:
    """Rows by id."""
    return {row.id: row for row in read_table("terms", Term)}
