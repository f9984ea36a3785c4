"""What models run on: memory, bandwidth and arithmetic by product, and how well each class of device uses them."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.core.hardware import Class, Confidence
from weigh.knowledge import Row, read_table


class DeviceRow(Row, frozen=True, kw_only=True):
    """`memory_gb` of 2^30 bytes as sold, `bandwidth_gbs` of 10^9 bytes a second, `tflops` dense, by type."""

    name: str
    vendor: str
    device_class: Class
    kind: str
    memory_gb: float
    bandwidth_gbs: float
    confidence: Confidence
    tflops: Mapping[str, float] = {}
    released: int | None = None
    aliases: tuple[str, ...] = ()
    also_gb: tuple[float, ...] = ()
    cores: int | None = None


class Pace(Row, frozen=True, kw_only=True):
    """How a class decodes: the share of its bandwidth it reaches with plain and with packed weights, what a token
    costs besides (`token_ms`, and `expert_ms` more where it routes), the share of its arithmetic that a prompt
    gets (`low` to `high`), and how far the truth lies from the typical figure (`spread`, a factor).
    Of a processor also what each core adds that waits for the others (`core_ms`), and how many packed weights a core
    unpacks in a second (`core_weights`).
    """

    plain: float
    packed: float
    token_ms: float
    expert_ms: float
    prefill_low: float
    prefill_high: float
    spread: float
    core_ms: float = 0.0
    core_weights: float | None = None


@functools.cache
def devices() -> tuple[DeviceRow, ...]:
    """Every product."""
    return read_table("devices", DeviceRow)


@functools.cache
def paces() -> Mapping[str, Pace]:
    """By class."""
    return {row.id: row for row in read_table("paces", Pace)}
