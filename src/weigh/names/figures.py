"""Words with digits in them and everything each may say, before its neighbours are looked at."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import NamedTuple

UNITS = {"k": 1e-6, "m": 1e-3, "b": 1.0, "t": 1e3}
_N = r"[0-9]{1,6}(?:[._][0-9]{1,4})?"
_POWERS = frozenset(str(2**power) for power in range(11, 21))


class Figure(NamedTuple):
    """One reading of a word: its kind, its value (sizes in billions), a second value (`8x7b`), and its mark in text."""

    kind: str
    value: float = 0.0
    second: float = 0.0
    mark: str = ""


def billions(digits: str, unit: str) -> float:
    """`1_8`, `b` -> 1.8."""
    return round(float(digits.replace("_", ".")) * UNITS[unit], 9)


# Whether the word begins with a digit (9) or a letter (a), a pattern for the whole word, what it says; in this order
# every one that fits gives a reading.
_READINGS: tuple[tuple[str, str, Callable[[re.Match[str]], Figure]], ...] = (
    ("9", rf"([0-9]{{1,3}})x({_N})([bm])", lambda m: Figure("mixture", float(m[1]), billions(m[2], m[3]))),
    ("a", rf"a({_N})([bm])", lambda m: Figure("active", billions(m[1], m[2]))),
    ("9", r"([0-9]{1,2})e([0-9]{1,2})t", lambda m: Figure("epochs", float(m[1]), float(m[2]))),
    ("a9", rf"({_N})bpw|bpw({_N})", lambda m: _bpw(m[1] or m[2], "{}bpw")),
    ("a", r"b(1[._]58)", lambda m: _bpw(m[1], "b{}")),
    ("9", r"(1[._]58|[1-9]|[2-8][._][0-9]{1,2})bits?(?:gs([0-9]{2,4}))?", lambda m: _width(m[1], m[2])),
    ("a", r"w([0-9]{1,2})a([0-9]{1,2})(?:kv[0-9]{1,2})?", lambda m: Figure("bits", float(m[1]), mark=m[0].upper())),
    ("a9", r"gs?([0-9]{2,4})|([0-9]{2,4})g", lambda m: Figure("group", float(m[1] or m[2]))),
    ("a", r"hb?([4-8])", lambda m: Figure("head", float(m[1]))),
    ("9", r"([0-9])x([0-9]{1,2})", lambda m: Figure("codebook", float(m[1]), float(m[2]), m[0])),
    ("9", r"([0-9]{1,4})e", lambda m: Figure("experts", float(m[1]))),
    ("a", r"e([0-9]{1,3}(?:\.[0-9])?)b", lambda m: Figure("effective", float(m[1]))),
    ("9", r"([0-9]{1,3})b([0-9])", lambda m: Figure("size", float(f"{m[1]}.{m[2]}"))),
    ("9", r"[0-9]{3,4}p|[0-9]{3,4}px|[0-9]{3,4}x[0-9]{3,4}", lambda m: Figure("resolution", mark=m[0])),
    ("9", r"[0-9]{1,3}(?:hz|khz|fps|s)", lambda m: Figure("rate", mark=m[0])),
    ("a", r"(?:patch|p)[0-9]{1,2}|l[0-9]{1,2}|t[0-9]{2}", lambda m: Figure("shape", mark=m[0])),
    ("a", r"steps?([0-9]{3,7}k?|[0-9]{1,7}k)", lambda m: Figure("steps", mark=m[1])),
    ("9", rf"({_N})(b|m|t|k)", lambda m: Figure(f"size_{m[2]}", billions(m[1], m[2]))),
    ("a", r"(?:so)([0-9]{3})m", lambda m: Figure("size_m", billions(m[1], "m"))),
    ("a", r"ctx([0-9]{3,8})", lambda m: Figure("context", float(m[1]))),
    ("9", r"([0-9]{1,5})k", lambda m: Figure("context", float(m[1]) * 1e3)),
    ("9", r"([0-9]{1,2})m", lambda m: Figure("context", float(m[1]) * 1e6)),
    ("9", r"([0-9]{4,7})", lambda m: Figure("tokens", float(m[1])) if m[1] in _POWERS else Figure("")),
    ("9", r"[0-9]{4,8}|2[3-6]\.(?:0[1-9]|1[0-2])", lambda m: Figure("date", mark=m[0])),
    ("9", r"0[0-9]{2}", lambda m: Figure("revision", mark=m[0])),
    ("a9", r"v?([0-9]{1,2})[pd]([0-9]{1,2})", lambda m: Figure("version", mark=f"{m[1]}.{m[2]}")),
    ("a", r"(?:or|[a-df-uw-z])[0-9](?:[._][0-9]{1,2})?", lambda m: Figure("line", mark=m[0].replace("_", "."))),
    (
        "a9",
        r"v?([0-9]{1,2}(?:[._][0-9]{1,3}){0,3}(?:[a-z](?![a-z]))?)",
        lambda m: Figure("version", float(m[0][0] == "v"), mark=m[1].replace("_", ".")),
    ),
)
_DIGIT = re.compile(r"[0-9]")
_LONGEST = 24


def _bpw(digits: str, pattern: str, *, kind: str = "bpw") -> Figure:
    shown = digits.replace("_", ".")
    return Figure(kind, float(shown), mark=pattern.format(shown))


def _width(digits: str, group: str | None) -> Figure:
    """`4bit`, and `4bitgs64` with the group as the second value."""
    return _bpw(digits, "{}bit", kind="bits")._replace(second=float(group or 0))


@functools.lru_cache(maxsize=16384)
def figures(word: str) -> tuple[Figure, ...]:
    """Every reading of a lower-case word; none for a word without digits."""
    if len(word) > _LONGEST or not word.isascii() or _DIGIT.search(word) is None:
        return ()
    compiled = _compiled("9" if word[0].isdecimal() else "a")
    found = (read(match) for pattern, read in compiled if (match := pattern.fullmatch(word)) is not None)
    return tuple(figure for figure in found if figure.kind)


@functools.cache
def _compiled(start: str) -> list[tuple[re.Pattern[str], Callable[[re.Match[str]], Figure]]]:
    """Compiled when first needed: one name needs a half of them."""
    return [(re.compile(pattern), read) for starts, pattern, read in _READINGS if start in starts]
