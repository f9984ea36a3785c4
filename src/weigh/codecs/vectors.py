"""Vectors as F32, little-endian: made of unit length, and found again by the angle to another."""

from __future__ import annotations

import heapq
import math
import struct
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import mul
from typing import Any

BLOCK = 4096  # vectors looked at together


def unit(data: bytes) -> bytes:
    """The same direction, of length 1; zeros stay zeros, and what is no number becomes zeros.

    >>> struct.unpack("<2f", unit(struct.pack("<2f", 0.0, 2.0)))
    (0.0, 1.0)
    """
    numbers = _numbers(data)
    length = math.sqrt(sum(map(mul, numbers, numbers)))
    if not math.isfinite(length) or length == 0:
        return bytes(len(data))
    return struct.pack(f"<{len(numbers)}f", *(number / length for number in numbers))


def nearest(wanted: bytes, rows: Iterable[tuple[int, bytes]], most: int) -> list[tuple[int, float]]:
    """The `most` rows nearest to `wanted`, the nearest first, each with its cosine. All are of length 1."""
    found: list[tuple[int, float]] = []
    pending = iter(rows)
    while block := list(islice(pending, BLOCK)):
        scored = zip((id for id, _ in block), _cosines(wanted, [data for _, data in block]), strict=True)
        found = heapq.nsmallest(most, (*found, *scored), key=lambda one: (-one[1], one[0]))
    return found


def _cosines(wanted: bytes, rows: Sequence[bytes]) -> list[float]:
    numpy = _numpy()
    if numpy is not None:
        table = numpy.frombuffer(b"".join(rows), dtype="<f4").reshape(len(rows), -1)
        found: list[float] = (table @ numpy.frombuffer(wanted, dtype="<f4")).tolist()
        return found
    query = _numbers(wanted)
    return [sum(map(mul, query, _numbers(row))) for row in rows]


def _numpy() -> Any:
    """Some thirty times as fast, where it is here."""
    try:
        import numpy
    except ImportError:
        return None
    return numpy


def _numbers(data: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(data) // 4}f", data)
