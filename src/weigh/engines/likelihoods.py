"""How likely a token was, beside the likeliest, in OpenAI's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable


def told(token: int, logprob: float, likeliest: Iterable[tuple[int, float]], text_of: Callable[[int], str]) -> str:
    """Of one token: JSON with its natural logarithm, and those of `likeliest`."""
    others = [_one(text_of(other), likely) for other, likely in likeliest]
    return json.dumps({"content": [_one(text_of(token), logprob) | {"top_logprobs": others}]}, ensure_ascii=False)


def _one(text: str, logprob: float) -> dict[str, object]:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}
