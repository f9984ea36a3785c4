"""Python literals as numpy writes them into its headers: strings, whole numbers, True, False, None, and their nests."""

from __future__ import annotations

import re
from typing import TypeAlias

from weigh.core.errors import Malformed, OverBudget

MOST_DEPTH = 64
MOST_TOKENS = 100_000
MOST_DIGITS = 30

Literal: TypeAlias = "str | int | bool | tuple[Literal, ...] | list[Literal] | dict[str, Literal] | None"

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>[bu]?'(?:[^'\\\n]|\\.)*+'|[bu]?"(?:[^"\\\n]|\\.)*+")"""
    r"|(?P<number>-?\d+)L?|(?P<word>True|False|None)|(?P<mark>[{}()\[\],:]))"
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))")
_WORDS = {"True": True, "False": False, "None": None}
_CLOSES = {")": "(", "]": "[", "}": "{"}


def parse_literal(text: str, *, path: str, offset: int = 0) -> Literal:
    """The value. Raises Malformed for anything that is not such a literal, OverBudget for nests beyond MOST_DEPTH."""
    stack: list[tuple[str, list[Literal]]] = [("", [])]
    at = 0
    end = len(text.rstrip())
    for _ in range(MOST_TOKENS):
        if at >= end:
            break
        match = _TOKEN.match(text, at)
        if match is None or len(match["number"] or "") > MOST_DIGITS:
            raise Malformed("npy.literal", path=path, offset=offset + at)
        at = match.end()
        if not _take(stack, match):
            raise Malformed("npy.literal", path=path, offset=offset + at)
        if len(stack) > MOST_DEPTH:
            raise OverBudget("json.depth", path=path, offset=offset + at, most=MOST_DEPTH)
    if at < end or len(stack) != 1 or len(stack[0][1]) != 1:
        raise Malformed("npy.literal", path=path, offset=offset + at)
    return stack[0][1][0]


def _take(stack: list[tuple[str, list[Literal]]], match: re.Match[str]) -> bool:
    """Put one token to what is open; is it one that may stand there?"""
    mark = match["mark"]
    if mark is None:
        stack[-1][1].append(_plain(match))
        return True
    if mark in "([{":
        stack.append((mark, []))
        return True
    if mark in ",:":
        return stack[-1][0] != "" and (mark == "," or stack[-1][0] == "{")
    opened, items = stack.pop()
    if opened != _CLOSES[mark] or not stack:
        return False
    closed = _closed(opened, items)
    if closed is None:
        return False
    stack[-1][1].append(closed)
    return True


def _closed(opened: str, items: list[Literal]) -> Literal:
    if opened == "(":
        return tuple(items)
    if opened == "[":
        return items
    keys = items[::2]
    if len(items) % 2 or not all(isinstance(key, str) for key in keys):
        return None
    return {str(key): value for key, value in zip(keys, items[1::2], strict=True)}


def _plain(match: re.Match[str]) -> Literal:
    if match["string"] is not None:
        return _ESCAPE.sub(_unescaped, match["string"].lstrip("bu")[1:-1])
    if match["number"] is not None:
        return int(match["number"])
    return _WORDS[match["word"]]


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2] or match[3]
    if code is None:
        return match[4]
    return chr(int(code, 16)) if int(code, 16) < 0x110000 else "?"
