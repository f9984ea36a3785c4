"""ncnn's weights: each layer's numbers one after another, each weight behind a mark of how it is stored.

The marks are those of ncnn's src/modelbin.cpp. A weight of 32 bits is marked by a zero, which tells nothing alone: such
a file is known by zeros that stand alone among numbers spread as weights are.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator

from weigh.core.errors import Malformed
from weigh.core.format import Format
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Source

SAMPLE = 1 << 16
FEWEST = 128  # numbers by which weights can be told from others
_MARKS = {b"\x47\x6b\x30\x01": "F16", b"\x38\x4b\x0d\x00": "I8", b"\x56\xc0\x02\x00": "F32"}
_ZERO = bytes(4)
_NEAR = range(0x2F, 0x45)  # highest bytes, without their sign, of numbers from 2^-32 to 2^11
_LIKELY, _SIGNED, _ALONE = 0.98, 0.05, 0.01


def matches(source: Source) -> bool:
    """A mark that is no zero, or a zero and numbers like weights with more such zeros between them."""
    mark = source.read(0, 4)
    return mark in _MARKS and source.size > 4 if mark != _ZERO else source.size % 4 == 0 and _are_weights(source)


def read(source: Source) -> Header:
    """How the first weight is stored; names and shapes are in the network beside it. Raises Malformed."""
    mark = source.read(0, 4)
    dtype = "F32" if mark == _ZERO else _MARKS.get(mark)
    if dtype is None:
        raise Malformed("ncnn", path=source.path, offset=0)
    return Header(format="ncnn", metadata={"dialect": "weights", "dtype": dtype})


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Nothing: numbers do nothing."""
    return iter(())


def _are_weights(source: Source) -> bool:
    data = source.read(4, SAMPLE)
    data = data[: len(data) // 4 * 4]
    words = struct.unpack(f"<{len(data) // 4}I", data)
    numbers = [word for word in words if word]
    first = [word >> 24 & 0x7F for word in words[:8]]
    if len(words) < FEWEST or set(first) - set(_NEAR) or len(numbers) < (1 - _ALONE) * len(words):
        return False
    likely = sum((word >> 24 & 0x7F) in _NEAR for word in numbers)
    signs = [word >> 31 for word in numbers]
    turns = sum(one != other for one, other in itertools.pairwise(signs))
    # Sound and other measured curves change their sign seldom, weights at every second number.
    return (
        len(numbers) < len(words)
        and likely > _LIKELY * len(numbers)
        and _SIGNED < sum(signs) / len(signs) < 1 - _SIGNED
        and turns > 0.2 * len(signs)
    )


FORMAT = Format(name="ncnn", suffixes=(".bin",), matches=matches, read=read, examine=examine)
