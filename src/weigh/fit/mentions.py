"""Devices of the table mentioned in a sentence: `a 24GB 4090`, `两张 3090`, `M4 Max 64GB`."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from weigh.core.errors import BadReference
from weigh.fit.devices import device
from weigh.knowledge.devices import devices

_TOKEN = re.compile(r"\d{1,4}\s?(?:gib|gb|g)(?![a-z0-9])|\d{1,4}\s?[x×*](?![a-z0-9])|[a-z]+\d*[a-z0-9]*|\d+[a-z]*")
_BUILT = re.compile(r"\b(?:(?:lp|g)?ddr\d\S*|hbm\w*|\d+-bit|\d+-core|\d+ch|\d+x|\d+gb|sxm\d|ai|data|center|station)\b")
_FIGURE = re.compile(r"\d{1,4}\s?(?:gib|gb|g|[x×*])")
_NUMBERS = {"一": 1, "单": 1, "两": 2, "二": 2, "双": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "十": 10}
_COUNTED = re.compile(rf"([{''.join(_NUMBERS)}]|\d+)\s*(?:张|块|卡|片)\s*")
_WRITTEN = {"one": 1, "two": 2, "three": 3, "four": 4, "eight": 8, "sixteen": 16}
_SPELT = re.compile(rf"\b({'|'.join(_WRITTEN)})\s+(?=[a-z]*\s?[a-z]*\d)")
_MOST_TOKENS = 8


class Mention(NamedTuple):
    """A device as `fit` reads it, and the words that told of it."""

    device: str
    words: str


def mentioned(text: str) -> tuple[Mention | None, str]:
    """The first device in a folded sentence, and the sentence without it."""
    text = _SPELT.sub(lambda found: f"{_WRITTEN[found[1]]}x ", _COUNTED.sub(_count, text))
    vocabulary, telling = _vocabulary()
    run: list[re.Match[str]] = []
    for token in [*_TOKEN.finditer(text), None]:
        joined = token is not None and (not run or not text[run[-1].end() : token.start()].strip(" -_/"))
        if token is not None and joined and _belongs(token[0], vocabulary):
            run.append(token)
            continue
        if (found := _device_of(text, run, telling)) is not None:
            return found
        run = [token] if token is not None and _belongs(token[0], vocabulary) else []
    return None, text


def _count(found: re.Match[str]) -> str:
    return f"{_NUMBERS.get(found[1], found[1])}x "


def _belongs(token: str, vocabulary: frozenset[str]) -> bool:
    return _singular(token) in vocabulary or _FIGURE.fullmatch(token) is not None


def _singular(token: str) -> str:
    """Of `3090s` the product, unless the letter is part of its name, as in `L40S`."""
    is_many = token.endswith("s") and token[-2:-1].isdigit() and token not in _vocabulary()[0]
    return token[:-1] if is_many else token


def _device_of(text: str, run: list[re.Match[str]], telling: frozenset[str]) -> tuple[Mention, str] | None:
    """The longest stretch of the run that names one product."""
    if len(run) > _MOST_TOKENS or not any(_singular(token[0]) in telling for token in run):
        return None
    for length in range(len(run), 0, -1):
        for start in range(len(run) - length + 1):
            part = run[start : start + length]
            if not any(_singular(token[0]) in telling for token in part):
                continue
            named = " ".join(_singular(token[0]) for token in part)
            try:
                device(named)
            except BadReference:
                continue
            begin, end = part[0].start(), part[-1].end()
            return Mention(named, text[begin:end].strip()), f"{text[:begin]} {text[end:]}"
    return None


@functools.cache
def _vocabulary() -> tuple[frozenset[str], frozenset[str]]:
    """Words of products, and those that alone tell which: with a letter and a digit, or four digits."""
    words: set[str] = set()
    telling: set[str] = set()
    for row in devices():
        for name in (row.name, *row.aliases):
            found = set(_TOKEN.findall(_BUILT.sub(" ", name.lower().partition("(")[0]))) | {row.vendor.lower()}
            words |= {word for word in found if len(word) > 1}
            telling |= {word for word in found if _tells(word)}
    return frozenset(words | {"rtx", "gtx", "nvidia"}), frozenset(telling)


def _tells(word: str) -> bool:
    digits = sum(letter.isdigit() for letter in word)
    return digits > 3 or (digits > 0 and len(word) > 1 and not word[0].isdigit())
