"""Operators and layers that read or write files, load libraries or run code; and those that are known at all."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.core.finding import Severity, Verdict
from weigh.knowledge import Row, read_table


class RiskyOperator(Row, frozen=True, kw_only=True):
    """`id` is `family:name`, or `family-domain:name` for a library of ordinary ones; `reason` is a key under
    `operator.`."""

    severity: Severity
    reason: str
    verdict: Verdict | None = None


class TensorFlowOperator(Row, frozen=True, kw_only=True):
    """An operator that TensorFlow itself brings."""


@functools.cache
def risky_operators() -> Mapping[str, RiskyOperator]:
    """Rows by id."""
    return {row.id: row for row in read_table("risky_operators", RiskyOperator)}


@functools.cache
def tensorflow_operators() -> frozenset[str]:
    """Names that need no further library."""
    return frozenset(row.id for row in read_table("tensorflow_operators", TensorFlowOperator))
