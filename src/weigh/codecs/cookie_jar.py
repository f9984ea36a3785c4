"""A cookie in a pickled jar, found by the opcodes that name it: nothing is unpickled."""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from itertools import pairwise

MOST = 1 << 20  # bytes of a jar
_PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GETS = frozenset({"GET", "BINGET", "LONG_BINGET"})


def cookie_of(jar: bytes, name: str) -> tuple[str, str] | None:
    """Value and domain of the cookie that is called so, as http.cookiejar keeps it; None if there is none."""
    state: dict[str, str] = {}
    for key, value in pairwise(_texts(jar[:MOST])):
        if key == "name":
            state = {}
        if key in ("name", "value", "domain") and key not in state:
            state[key] = value
        if state.get("name") == name and "value" in state and "domain" in state:
            return state["value"], state["domain"]
    return None


def _texts(jar: bytes) -> Iterator[str]:
    """Every string in the order in which it would be pushed, those called back from the memo as well."""
    memo: dict[int, str | None] = {}
    last: str | None = None
    try:
        for opcode, argument, _ in pickletools.genops(jar):
            if opcode.name == "MEMOIZE":
                memo[len(memo)] = last
                continue
            if opcode.name in _PUTS and isinstance(argument, int):
                memo[argument] = last
                continue
            last = memo.get(argument) if opcode.name in _GETS and isinstance(argument, int) else None
            if opcode.name not in _GETS and isinstance(argument, str):
                last = argument
            if last is not None:
                yield last
    except (ValueError, IndexError, OverflowError):
        return
