"""How fast it decodes and reads a prompt: bytes over bandwidth, never above it, as an interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

from weigh.core.fit import Interval, Speed
from weigh.core.hardware import Device
from weigh.core.value import Value
from weigh.knowledge.devices import Pace, paces


class Work(Value, frozen=True, kw_only=True):
    """What one token asks of a device: bytes of weights and of cache that are read, and multiplications.

    `packed`: the weights must be unpacked on the way. `routed`: it chooses among experts.
    """

    weight_bytes: float
    kv_bytes: float
    active_parameters: float
    packed: bool
    routed: bool


class Stage(Value, frozen=True, kw_only=True):
    """One device's part of the work, as a share of it."""

    device: Device
    share: float


def speed(work: Work, stages: Sequence[Stage], *, parallel: int = 1) -> Speed:
    """Tokens a second of one sequence, and of its prompt; `parallel` sequences share each reading of the weights."""
    return Speed(decode=_decode(work, stages, parallel), prefill=_prefill(work, stages))


def _decode(work: Work, stages: Sequence[Stage], parallel: int) -> Interval | None:
    """Stages follow each other: their times add up. No figure of the interval is above bandwidth over bytes."""
    floor = typical = 0.0
    spread = 1.0
    for stage in stages:
        bandwidth, pace = stage.device.bandwidth, paces()[stage.device.device_class]
        if bandwidth <= 0 or stage.share <= 0:
            continue
        read = (work.weight_bytes + work.kv_bytes * parallel) * stage.share
        floor += read / bandwidth
        reading = read / (bandwidth * (pace.packed if work.packed else pace.plain))
        typical += max(reading, _unpacking(work, stage, pace) * parallel) + _besides(work, pace, stage)
        spread = max(spread, pace.spread)
    if not typical:
        return None
    rate, ceiling = 1 / typical, (1 / floor if floor else math.inf)
    return _interval(rate, spread=spread, ceiling=ceiling)


def _unpacking(work: Work, stage: Stage, pace: Pace) -> float:
    """Seconds in which a processor's cores unpack what a token needs: where they are few, reading waits for them."""
    cores = stage.device.cores
    if not work.packed or not cores or pace.core_weights is None:
        return 0.0
    return work.active_parameters * stage.share / (cores * pace.core_weights)


def _besides(work: Work, pace: Pace, stage: Stage) -> float:
    """Seconds a token costs that are neither."""
    waiting = pace.core_ms * (stage.device.cores or 0)
    return (pace.token_ms + waiting + (pace.expert_ms if work.routed else 0.0)) / 1000 * stage.share


def _interval(rate: float, *, spread: float, ceiling: float) -> Interval:
    high = min(rate * spread, ceiling)
    typical = min(rate, high)
    return Interval(
        low=round(typical / spread, 3), typical=math.floor(typical * 1000) / 1000, high=math.floor(high * 1000) / 1000
    )


def _prefill(work: Work, stages: Sequence[Stage]) -> Interval | None:
    """Two operations a parameter and token, by the share of its arithmetic that a class reaches."""
    slow = fast = 0.0
    for stage in stages:
        rate, pace = _arithmetic(stage.device), paces()[stage.device.device_class]
        if rate is None:
            return None
        operations = 2 * work.active_parameters * stage.share
        slow += operations / (rate * pace.prefill_low)
        fast += operations / (rate * pace.prefill_high)
    if not slow or not fast:
        return None
    low, high = 1 / slow, 1 / fast
    return Interval(low=round(low, 1), typical=round(math.sqrt(low * high), 1), high=round(high, 1))


def _arithmetic(device: Device) -> float | None:
    """Operations a second at sixteen bits, else at thirty-two."""
    for kind in ("bf16", "fp16", "fp32"):
        if kind in device.tflops:
            return device.tflops[kind] * 1e12
    return None
