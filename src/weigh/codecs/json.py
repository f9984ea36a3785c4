"""JSON that nobody vouches for: bounded in depth, in digits, and never silent about a key given twice."""

from __future__ import annotations

import json
import re
from typing import Any

from weigh.core.errors import Malformed, OverBudget

MOST_DEPTH = 100
MOST_DIGITS = 400

_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)


def decode(data: bytes, *, path: str, offset: int = 0) -> tuple[Any, tuple[str, ...]]:
    """The value and the keys that stand twice in one object (the last one's value is kept, as every reader does).

    Raises Malformed for what is not JSON in UTF-8, OverBudget for nesting beyond MOST_DEPTH.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("json.utf8", path=path, offset=offset + error.start) from error
    _check_depth(text, path=path, offset=offset)
    doubles: list[str] = []

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) < len(pairs):
            seen: set[str] = set()
            doubles.extend(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        return table

    def whole(digits: str) -> int:
        if len(digits) > MOST_DIGITS:
            raise Malformed("json.digits", path=path, offset=offset, count=len(digits))
        return int(digits)

    try:
        return json.loads(text, object_pairs_hook=keep, parse_int=whole), tuple(dict.fromkeys(doubles))
    except json.JSONDecodeError as error:
        place = offset + len(text[: error.pos].encode("utf-8", "surrogatepass"))
        raise Malformed("json.syntax", path=path, offset=place) from error


def _check_depth(text: str, *, path: str, offset: int) -> None:
    if text.count("[") + text.count("{") <= MOST_DEPTH:
        return
    depth = 0
    for match in _STRUCTURE.finditer(text):
        token = match.group()
        if token in ("[", "{"):
            depth += 1
            if depth > MOST_DEPTH:
                raise OverBudget("json.depth", path=path, offset=offset, most=MOST_DEPTH)
        elif token in ("]", "}"):
            depth -= 1
