"""How likely a token was, beside the likeliest, in OpenAI's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any


def told(token: int, logprob: float, likeliest: Iterable[tuple[int, float]], text_of: Callable[[int], str]) -> str:
    """Of one token: JSON with its natural logarithm, and those of `likeliest`."""
    others = [_one(text_of(other), likely) for other, likely in likeliest]
    return json.dumps({"content": [_one(text_of(token), logprob) | {"top_logprobs": others}]}, ensure_ascii=False)


def retold(said: Any, top: int | None) -> str | None:
    """What another server says of its tokens, in the form of a chat or in that of a completion, with `top` others.

    None where it says nothing of that kind.

    >>> retold({"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": [{"a": -0.5, "b": -1}]}, 1)
    '{"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [{"token": "a", "logprob": -0.5, \
"bytes": [97]}]}]}'
    """
    match said:
        case {"content": list(tokens)}:
            found = [_of_chat(one) for one in tokens]
        case {"tokens": list(texts), "token_logprobs": list(likely)}:
            others = said.get("top_logprobs") or [None] * len(texts)
            found = [_of_completion(*one) for one in zip(texts, likely, others, strict=False)]
        case _:
            return None
    content = [{**one, "top_logprobs": others[:top]} for one, others in filter(None, found)]
    return json.dumps({"content": content}, ensure_ascii=False) if content else None


def _of_chat(said: Any) -> tuple[dict[str, object], list[dict[str, object]]] | None:
    match said:
        case {"token": str(text), "logprob": int() | float() as likely}:
            others = said.get("top_logprobs")
            found = [_of_chat(one) for one in others] if isinstance(others, list) else []
            return _one(text, likely, said.get("bytes")), [one[0] for one in found if one is not None]
        case _:
            return None


def _of_completion(
    text: object, likely: object, others: object
) -> tuple[dict[str, object], list[dict[str, object]]] | None:
    if not isinstance(text, str) or not isinstance(likely, int | float):
        return None
    pairs = others.items() if isinstance(others, dict) else ()
    known = [(str(other), one) for other, one in pairs if isinstance(one, int | float)]
    return _one(text, likely), [_one(other, one) for other, one in sorted(known, key=lambda pair: -pair[1])]


def _one(text: str, logprob: float, raw: Any = None) -> dict[str, object]:
    return {"token": text, "logprob": logprob, "bytes": raw if isinstance(raw, list) else list(text.encode())}
