"""Memory over context: what it takes on a device as the sequence grows."""

from __future__ import annotations

import msgspec

from weigh.core.hardware import Device
from weigh.core.value import Value
from weigh.fit.case import Case, memory

SHORTEST = 1024
LONGEST = 1 << 24
USUAL_LIMIT = 131_072  # where nobody says how far it goes


class Point(Value, frozen=True, kw_only=True):
    """Tokens of context, and bytes in all."""

    context_length: int
    total: int


class Curve(Value, frozen=True, kw_only=True):
    """By doubling contexts up to the model's limit; `budget` is what all the devices may hold."""

    device: str
    budget: int
    points: tuple[Point, ...]


def curve(case: Case, engine: str, device: Device) -> Curve:
    """The points at which the whole would lie on the device."""
    plain = msgspec.structs.replace(case, exact=None)  # an exact account is of one context alone
    points = []
    for length in _lengths(case):
        one = msgspec.structs.replace(plain, context_length=length)
        need = memory(one, engine, gpu=device.device_class != "cpu", share=device.count)
        points.append(Point(context_length=length, total=need.total))
    name = f"{device.count}x {device.name}" if device.count > 1 else device.name
    return Curve(device=name, budget=device.budget * device.count, points=tuple(points))


def _lengths(case: Case) -> list[int]:
    """Doubling, the last one the model's own limit."""
    shape = case.architecture
    limit = min((shape.context_length if shape is not None else None) or USUAL_LIMIT, LONGEST)
    lengths, length = [], SHORTEST
    while length < limit:
        lengths.append(length)
        length *= 2
    return [*lengths, limit]
