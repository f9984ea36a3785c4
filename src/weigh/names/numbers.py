"""Words with digits in them: sizes, counts, dates, contexts, versions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

_SIZE = re.compile(r"^(\d{1,6}(?:[._]\d{1,4})?)(b|m|t|k)$")
_BLOOM = re.compile(r"^(\d{1,3})b(\d)$")  # 7b1 is 7.1
_ACTIVE = re.compile(r"^a(\d{1,4}(?:\.\d{1,3})?)(b|m)$")
_MIXTURE = re.compile(r"^(\d{1,3})x(\d{1,4}(?:\.\d{1,3})?)(b|m)$")
_EXPERTS = re.compile(r"^(\d{1,4})e$")
_EFFECTIVE = re.compile(r"^e(\d{1,3}(?:\.\d)?)b$")
_EPOCHS = re.compile(r"^(\d{1,2})e(\d{1,2})t$")
_BPW = re.compile(r"^(?:(\d{1,2}(?:\.\d{1,3})?)bpw|b(1\.58)|(1\.58)bit)$")
_GROUP = re.compile(r"^g(?:s)?(\d{2,4})$")
_CONTEXT = re.compile(r"^(?:ctx(\d{3,8})|(\d{1,4})k|(\d{1,2})m)$")
_VERSION = re.compile(r"^v?(\d{1,3}(?:[._]\d{1,3}){0,3}(?:[a-z](?![a-z]))?)$")
_LINE = re.compile(r"^((?:or|[rkmzxtshl])\d{1,2}(?:\.\d{1,2})?)$")
_POINT = re.compile(r"^v?(\d{1,2})p(\d{1,2})$")

UNITS = {"k": 1e-6, "m": 1e-3, "b": 1.0, "t": 1e3}


class Number(NamedTuple):
    """What a word with digits says: its kind, its value in billions or as a count, and a second value for `8x7b`."""

    kind: str
    value: float
    second: float = 0.0


def billions(digits: str, unit: str) -> float:
    """`1_8`, `b` -> 1.8."""
    return round(float(digits.replace("_", ".")) * UNITS[unit], 9)


# In this order: the first that matches the whole word.
_READINGS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Number]], ...] = (
    (_MIXTURE, lambda found: Number("mixture", float(found[1]), billions(found[2], found[3]))),
    (_ACTIVE, lambda found: Number("active", billions(found[1], found[2]))),
    (_EPOCHS, lambda found: Number("epochs", float(found[1]), float(found[2]))),
    (_BPW, lambda found: Number("bpw", float(found[1] or found[2] or found[3]))),
    (_GROUP, lambda found: Number("group", float(found[1]))),
    (_EXPERTS, lambda found: Number("experts", float(found[1]))),
    (_EFFECTIVE, lambda found: Number("effective", float(found[1]))),
    (_BLOOM, lambda found: Number("size", float(f"{found[1]}.{found[2]}"))),
    (_SIZE, lambda found: Number(f"size_{found[2]}", billions(found[1], found[2]))),
)


def number(word: str) -> Number | None:
    """The reading of a word that needs no neighbours; sizes in billions."""
    for pattern, read in _READINGS:
        if (found := pattern.match(word)) is not None:
            return read(found)
    return None


def context(word: str) -> int | None:
    """`128k` -> 128000, `1m` -> 1000000, `ctx4096` -> 4096."""
    found = _CONTEXT.match(word)
    if found is None:
        return None
    return int(found[1]) if found[1] else int(found[2]) * 1000 if found[2] else int(found[3]) * 1_000_000


def version(word: str) -> str | None:
    """`v2_5` -> `2.5`, `5p1` -> `5.1`, `r1` -> `R1`; None for what is no release mark."""
    if (found := _POINT.match(word)) is not None:
        return f"{found[1]}.{found[2]}"
    if (found := _LINE.match(word)) is not None:
        return found[1].upper()
    if (found := _VERSION.match(word)) is not None:
        return found[1].replace("_", ".")
    return None


def date(word: str, *, month_first: bool) -> str | None:
    """Digits that can only be a date: `20241022`, `250415`, `2507`, `0324`; month and year in Ai2's order on wish."""
    if not word.isdigit() or not word.isascii():
        return None
    if len(word) == 8 and word[:2] == "20" and _is_day(word[4:6], word[6:]):
        return f"{word[:4]}-{word[4:6]}-{word[6:]}"
    if len(word) == 6 and "23" <= word[:2] <= "26" and _is_day(word[2:4], word[4:]):
        return f"20{word[:2]}-{word[2:4]}-{word[4:]}"
    if len(word) != 4:
        return None
    if month_first and _is_month(word[:2]):
        return f"20{word[2:]}-{word[:2]}"
    if "23" <= word[:2] <= "26" and _is_month(word[2:]):
        return f"20{word[:2]}-{word[2:]}"
    return f"{word[:2]}-{word[2:]}" if _is_day(word[:2], word[2:]) else None


def date_of_parts(words: list[str]) -> tuple[str, int] | None:
    """A date written with separators: `2024-07-18`, `12-2024`, `05-20`; and how many words it takes."""
    match words:
        case [year, month, day, *_] if len(year) == 4 and year[:2] == "20" and len(month) == len(day) == 2:
            if _is_day(month, day):
                return f"{year}-{month}-{day}", 3
        case [month, year, *_] if len(month) == 2 and len(year) == 4 and year[:2] == "20" and _is_month(month):
            return f"{year}-{month}", 2
    match words:
        case [month, day, *_] if len(month) == len(day) == 2 and month[0] in "01" and _is_day(month, day):
            return f"{month}-{day}", 2
    return None


def _is_month(text: str) -> bool:
    return text.isdigit() and 1 <= int(text) <= 12


def _is_day(month: str, day: str) -> bool:
    return _is_month(month) and day.isdigit() and 1 <= int(day) <= 31
