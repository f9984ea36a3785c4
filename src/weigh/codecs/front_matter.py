"""The front matter of a Markdown page: plain `key: value` lines and lists of them; nothing else of YAML is wanted."""

from __future__ import annotations

import re
from collections.abc import Collection

MOST_LINES = 2000
_LINE = re.compile(r"^([A-Za-z_]+):\s*(.*)$")


def front_matter(text: str, keys: Collection[str]) -> dict[str, str]:
    """The values of these keys; of a list its first. Nothing where the front matter is missing or never ends."""
    if not text.startswith("---"):
        return {}
    found: dict[str, str] = {}
    key: str | None = None
    for line in text.splitlines()[1:MOST_LINES]:
        if line.rstrip() == "---":
            return found
        if (match := _LINE.match(line)) is not None:
            key = match[1] if match[1] in keys else None
            if key is not None and (value := _scalar(match[2])):
                found[key] = value
        elif key is not None and key not in found and line.strip().startswith("- "):
            found[key] = _scalar(line.strip()[2:])
    return {}


def _scalar(text: str) -> str:
    """A plain or quoted value, without the comment behind it."""
    return text.partition(" #")[0].strip().strip("'\"[]").strip()
