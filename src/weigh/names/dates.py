"""Digits that are dates: in one word, or in words with separators between."""

from __future__ import annotations

from collections.abc import Sequence


def date(word: str, *, month_first: bool) -> str | None:
    """`20241022`, `250415`, `2507`, `25.01`, `0324`; month and year in Ai2's order on wish; None for no date."""
    if len(word) == 8 and word[:2] == "20" and is_day(word[4:6], word[6:]):
        return f"{word[:4]}-{word[4:6]}-{word[6:]}"
    if len(word) == 6 and "23" <= word[:2] <= "26" and is_day(word[2:4], word[4:]):
        return f"20{word[:2]}-{word[2:4]}-{word[4:]}"
    if len(word) == 6 and word[:2] == "20" and is_month(word[4:]):
        return f"{word[:4]}-{word[4:]}"
    if len(word) == 5 and word[2] == ".":
        return f"20{word[:2]}-{word[3:]}"
    return _four(word, month_first) if len(word) == 4 else None


def _four(word: str, month_first: bool) -> str | None:
    if month_first and is_month(word[:2]) and "23" <= word[2:] <= "26":
        return f"20{word[2:]}-{word[:2]}"
    if "23" <= word[:2] <= "26" and is_month(word[2:]):
        return f"20{word[:2]}-{word[2:]}"
    return f"{word[:2]}-{word[2:]}" if is_day(word[:2], word[2:]) else None


def date_of_parts(words: Sequence[str]) -> tuple[str, int] | None:
    """A date written with separators: `2024-07-18`, `12-2024`, `05-20`; and how many words it takes."""
    lengths = [len(word) for word in words]
    if lengths[:3] == [4, 2, 2] and words[0][:2] == "20" and is_day(words[1], words[2]):
        return "-".join(words[:3]), 3
    if lengths[:2] == [2, 4] and is_month(words[0]) and words[1][:2] == "20" and words[1].isdecimal():
        return f"{words[1]}-{words[0]}", 2
    if lengths[:2] == [4, 2] and words[0][:2] == "20" and words[0].isdecimal() and is_month(words[1]):
        return f"{words[0]}-{words[1]}", 2
    if lengths[:2] == [2, 2] and words[0][0] in "01" and is_day(words[0], words[1]):
        return f"{words[0]}-{words[1]}", 2
    return None


def is_month(text: str) -> bool:
    """`01` to `12`."""
    return text.isascii() and text.isdecimal() and 1 <= int(text) <= 12


def is_day(month: str, day: str) -> bool:
    """`03`, `24`: may these be a month and a day?"""
    return is_month(month) and day.isascii() and day.isdecimal() and 1 <= int(day) <= 31
