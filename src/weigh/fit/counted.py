"""How many devices a text asks for: `2x RTX 4090`, `4090x2`, `8卡A100`, `dual RTX 3090`, `RTX 4090, RTX 4090`."""

from __future__ import annotations

import re

from weigh.core.errors import BadReference

MOST_COUNT = 4096
_BEFORE = re.compile(
    r"^\s*(\d{1,5})(?:\s*[x×*](?![a-z])|(?<!\d{4})[x×*]|\s*(?:张|块|卡|片|路)"
    r"|(?<!\d{3})\s+(?!(?:g|gb|gib|core|inch)\b)(?=[a-z\u4e00-\u9fff]))\s*",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?:(?<=\d)|(?<=\dg)|(?<=gb)|(?<=[\s\u4e00-\u9fff]))\s*[x×*]\s*(\d{1,5})\s*(?:张|块|卡)?\s*$", re.IGNORECASE
)
_WORD = re.compile(
    r"^\s*(?:(one|single|two|dual|twin|double|three|triple|four|quad|eight|octa)\s+(?=\S)"
    r"|([一单两双三四五六七八十])\s*(?:张|块|卡|片|路)\s*)",
    re.IGNORECASE,
)
_NUMBERS = {
    "one": 1, "single": 1, "two": 2, "dual": 2, "twin": 2, "double": 2, "three": 3, "triple": 3, "four": 4,
    "quad": 4, "eight": 8, "octa": 8, "一": 1, "单": 1, "两": 2, "双": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7,
    "八": 8, "十": 10,
}  # fmt: skip
_ASIDE = re.compile(r"\([^)]*\)")
_LISTED = re.compile(r"\s+\+\s+|[,，、;；]|\s+and\s+|\s+&\s+", re.IGNORECASE)


def counted(text: str) -> tuple[int, str]:
    """The number, and the text without it. Raises BadReference for a number that cannot be, or for several kinds."""
    parts = [part.strip() for part in _LISTED.split(_ASIDE.sub("", text)) if part.strip()]
    if len(parts) > 1:
        if len({part.lower() for part in parts}) > 1:
            raise BadReference("device.mixed", text=text)
        count, rest = counted(parts[0])
        return _checked(count * len(parts), text), rest
    if (word := _WORD.search(text)) is not None:
        return _NUMBERS[(word[1] or word[2]).lower()], text[word.end() :]
    either = [found for found in (_BEFORE.search(text), _AFTER.search(text)) if found is not None]
    if not either:
        return 1, text
    found = min(either, key=lambda one: int(one[1]))  # of `2x 4090` and `4090x2` the smaller is the number
    return _checked(int(found[1]), text), text[: found.start()] + " " + text[found.end() :]


def _checked(count: int, text: str) -> int:
    if not 1 <= count <= MOST_COUNT:
        raise BadReference("device.count", text=text, most=MOST_COUNT)
    return count
