"""How a file's bytes are spread: what that tells of numbers, text, compression or encryption."""

from __future__ import annotations

import math
from collections import Counter
from typing import Literal

from weigh.core.source import Source
from weigh.core.value import Value

WINDOW = 4096
MOST_WINDOWS = 16
# Bits a byte. 4096 even bytes measure 7.95 on average; compressed data with its tables lies a little below.
EVEN, HIGH, LOW = 7.9, 7.2, 1.0
EXPONENTS = 0.6  # of the highest bytes of four: weights lie between 2^-14 and 2^2

Kind = Literal["even", "high", "floats", "text", "sparse", "mixed", "short"]


class Spread(Value, frozen=True, kw_only=True):
    """`entropy` is the mean over the windows, `least` the lowest of them; `kind` is a key under `spread.`."""

    entropy: float
    least: float
    kind: Kind


def spread_of(source: Source) -> Spread:
    """Of windows all over the file."""
    windows = [source.read(offset, WINDOW) for offset in _offsets(source.size)]
    windows = [window for window in windows if window]
    measured = [entropy_of(window) for window in windows] or [0.0]
    mean, least = sum(measured) / len(measured), min(measured)
    return Spread(entropy=round(mean, 2), least=round(least, 2), kind=_kind(windows, mean, least))


def entropy_of(data: bytes) -> float:
    """Shannon's, in bits a byte."""
    return -sum(count / len(data) * math.log2(count / len(data)) for count in Counter(data).values())


def _offsets(size: int) -> list[int]:
    count = max(1, min(MOST_WINDOWS, size // WINDOW))
    return [size * number // count // 16 * 16 for number in range(count)]


def _kind(windows: list[bytes], mean: float, least: float) -> Kind:
    data = b"".join(windows[1:] or windows)  # the first holds a header
    if any(_are_exponents(data[start::4]) for start in range(4)):
        return "floats"
    if sum(byte in _PRINTED for byte in data) > 0.95 * len(data):
        return "text"
    if mean < LOW:
        return "sparse"
    if len(data) < WINDOW:
        return "short"  # few bytes cannot be spread evenly over all values
    return "even" if least >= EVEN else "high" if mean >= HIGH else "mixed"


def _are_exponents(highest: bytes) -> bool:
    """Do these bytes lead numbers of four bytes between 2^-14 and 2^2, of both signs?"""
    if len(highest) < 256:
        return False
    counts = Counter(byte & 0x7F for byte in highest)
    near = sum(counts[byte] for byte in range(0x38, 0x41))
    signs = sum(byte >> 7 for byte in highest)
    return near > EXPONENTS * len(highest) and 0.2 < signs / len(highest) < 0.8


_PRINTED = frozenset([9, 10, 13, *range(32, 127), *range(128, 256)])
