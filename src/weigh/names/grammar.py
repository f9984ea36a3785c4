"""Terms that are computed and not listed: `A3B`, `8x22B`, `4e1t`, `2507`, `5.0bpw`, `00001-of-00005`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from weigh.core.saying import NOTHING, Hole
from weigh.names.dates import date, date_of_parts
from weigh.names.figures import Figure, figures

_SHARD = re.compile(r"^(\d{2,6})-of-(\d{2,6})$")
_WIDTHS = re.compile(r"^w(\d{1,2})a(\d{1,2})$")
_YI = re.compile(r"^(\d{1,6}(?:\.\d{1,3})?)(万?)亿$")
_BF16_BYTES, _Q4_K_M_BITS = 2, 4.89


class Reading(NamedTuple):
    """One meaning of a term: its shape (`knowledge/shapes.json`) and the figures in it."""

    shape: str
    figures: Mapping[str, Hole] = NOTHING


def readings(term: str) -> list[Reading]:
    """What the term can mean by its shape, the likeliest first; empty for what has no such shape."""
    low = term.strip().lower()
    found = [read(low) for read in (_shard, _widths, _date, _context, _figure, _yi, _release)]
    return [reading for reading in found if reading is not None]


def _shard(low: str) -> Reading | None:
    found = _SHARD.match(low)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        return None
    return Reading("shard", {"index": int(found[1]), "count": int(found[2])})


def _widths(low: str) -> Reading | None:
    found = _WIDTHS.match(low)
    if found is None or not int(found[1]) or not int(found[2]):
        return None
    weights, activations = int(found[1]), int(found[2])
    return Reading(
        "widths",
        {"weights": weights, "activations": activations, "gigabytes": round(weights + 0.13, 2)},
    )


def _date(low: str) -> Reading | None:
    parts = re.split(r"[-_.]", low)
    written = date_of_parts(parts)
    day = written[0] if written is not None and written[1] == len(parts) else date(low, month_first=False)
    if day is None:
        return None
    return Reading("day" if len(day) == 5 else "date", {"date": day})


def _context(low: str) -> Reading | None:
    found = _first(low, "context")
    if found is None:
        return None
    tokens = int(found.value)
    return Reading(
        "context",
        {
            "tokens": tokens,
            "pages": round(tokens / 650),
            "characters": round(tokens * 1.5),
            "gigabytes": _cache(tokens),
        },
    )


def _cache(tokens: int) -> float:
    """What the cache of Llama 3.1 8B takes: 128 KiB a token, in 10^9 bytes."""
    return round(tokens * 131072 / 1e9, 1)


def _figure(low: str) -> Reading | None:
    read = _first(low, *_SIZES, *_FIGURES)
    if read is None or not read.value:
        return None
    if read.kind in _SIZES:
        return Reading("trillion" if read.kind == "size_t" else "size", _sized(read.value))
    return _FIGURES[read.kind](read)


def _yi(low: str) -> Reading | None:
    """`70亿` is 7 billion, `1万亿` a trillion."""
    found = _YI.match(low)
    if found is None or not float(found[1]):
        return None
    return Reading("size", _sized(float(found[1]) * (1000 if found[2] else 0.1)))


def _release(low: str) -> Reading | None:
    found = _first(low, "line", "version")
    if found is None:
        return None
    return Reading("version", {"version": found.mark.upper() if found.kind == "line" else found.mark})


def _first(low: str, *kinds: str) -> Figure | None:
    """The first reading of one of these kinds."""
    return next((figure for figure in figures(low) if figure.kind in kinds), None)


def _sized(of_billions: float) -> dict[str, Hole]:
    """Figures of so many billions: in hundreds of millions (亿) too, and the bytes in BF16 and Q4_K_M."""
    return {
        "billions": of_billions,
        "yi": round(of_billions * 10, 4),
        "bf16_gigabytes": _short(of_billions * _BF16_BYTES),
        "q4_gigabytes": _short(of_billions * _Q4_K_M_BITS / 8),
    }


def _short(gigabytes: float) -> float:
    """Three figures; a whole number from 100 on."""
    return round(gigabytes) if gigabytes >= 100 else float(f"{gigabytes:.3g}")


def _mixture(read: Figure) -> Reading:
    experts = int(read.value)
    values = {"experts": experts, "expert_billions": read.second, "expert_yi": read.second * 10}
    return Reading("mixture", values | {"most_billions": _short(experts * read.second)})


def _epochs(read: Figure) -> Reading:
    values = {"epochs": int(read.value), "trillions": read.second}
    return Reading("epochs", values | {"seen_trillions": read.value * read.second})


_SIZES = ("size", "size_m", "size_b", "size_t")
_FIGURES: Mapping[str, Callable[[Figure], Reading]] = {
    "active": lambda read: Reading("active", _sized(read.value)),
    "mixture": _mixture,
    "epochs": _epochs,
    "bpw": lambda read: Reading("bpw", {"bits": read.value, "gigabytes": round(read.value * 8.03 / 8, 2)}),
    "bits": lambda read: Reading("bpw", {"bits": read.value, "gigabytes": round(read.value * 8.03 / 8, 2)}),
    "group": lambda read: Reading("group", {"weights": int(read.value), "bits_added": round(20 / read.value, 2)}),
    "experts": lambda read: Reading("experts", {"experts": int(read.value)}),
    "effective": lambda read: Reading("effective", _sized(read.value)),
}
