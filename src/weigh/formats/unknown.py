"""What no format of ours recognises, and what little can be said of it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from weigh.core.errors import Malformed
from weigh.core.format import Format
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Source

SAMPLE = 1 << 16
_STRINGS = re.compile(rb"[\x20-\x7e]{6,64}")


def matches(source: Source) -> bool:
    """Always: it is asked last."""
    return True


def read(source: Source) -> Header:
    """First bytes, strings, and how evenly the bytes are spread (8 bits a byte: compressed or encrypted)."""
    if source.size == 0:
        raise Malformed("empty", path=source.path, offset=0)
    sample = source.read(0, SAMPLE)
    strings = tuple(match.decode("ascii") for match in _STRINGS.findall(sample)[:8])
    return Header(
        format="unknown",
        metadata={"first_bytes": sample[:16].hex(), "entropy": round(_entropy(sample), 2), "strings": strings},
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Nothing: what is not recognised is not examined, and a Skip says so."""
    return iter(())


def _entropy(sample: bytes) -> float:
    """Shannon entropy in bits a byte."""
    return -sum(count / len(sample) * math.log2(count / len(sample)) for count in Counter(sample).values())


FORMAT = Format(name="unknown", suffixes=(), matches=matches, read=read, examine=examine)
