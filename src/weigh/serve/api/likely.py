"""How likely the tokens of a completion were, in the four lists of OpenAI's completions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from weigh.core.work import Delta

_LISTS = ("tokens", "token_logprobs", "top_logprobs", "text_offset")


class Likely:
    """Delta after Delta of one answer; a token's offset is the number of characters before it.

    >>> said = '{"content": [{"token": " a", "logprob": -0.5, "top_logprobs": [{"token": "b", "logprob": -1}]}]}'
    >>> Likely().told(Delta(text=" a", logprobs=said))["top_logprobs"]
    [{' a': -0.5, 'b': -1}]
    """

    def __init__(self) -> None:
        self._offset = 0

    def told(self, delta: Delta) -> dict[str, list[Any]] | None:
        """Nothing where nothing was asked for."""
        if delta.logprobs is None:
            self._offset += len(delta.text)
            return None
        rows = [self._row(one) for one in msgspec.json.decode(delta.logprobs).get("content") or ()]
        return {name: [row[at] for row in rows] for at, name in enumerate(_LISTS)}

    def _row(self, said: dict[str, Any]) -> tuple[str, float, dict[str, float], int]:
        token, likely, at = said["token"], said["logprob"], self._offset
        self._offset += len(token)
        others = {one["token"]: one["logprob"] for one in said.get("top_logprobs") or ()}
        return token, likely, {token: likely, **others}, at


def whole_of(deltas: Sequence[Delta]) -> dict[str, list[Any]] | None:
    """Of a whole answer."""
    likely = Likely()
    told = [one for delta in deltas if (one := likely.told(delta)) is not None]
    return {name: [value for one in told for value in one[name]] for name in _LISTS} if told else None
