"""What a page of HTML says, block by block, with each block's place in the file."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from weigh.codecs.passages import Line, Text

_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]*)")
_SILENT = frozenset({"script", "style", "template", "noscript", "svg", "math", "object", "iframe"})
_INSIDE = frozenset(
    "a abbr b bdi bdo cite code data del dfn em font i ins kbd mark q s samp small span"
    "  strong sub sup time u var wbr".split()
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "title"})


def html_lines(text: Text) -> Iterator[Line]:
    """One Line a block; scripts and styles are left out. Each step goes forward: nothing is read twice."""
    place = _Place(text)
    held: list[str] = []
    first, opens = -1, False
    for at, said, tag in _tokens(text.text):
        if tag is None:
            if said.strip() and first < 0:
                first = at + len(said) - len(said.lstrip())
            held.append(said)
        elif tag.lstrip("/") not in _INSIDE:
            if first >= 0:
                yield place.line(held, first, at, opens)
            held, first, opens = [], -1, tag in _HEADINGS
    if first >= 0:
        yield place.line(held, first, len(text.text), opens)


class _Place:
    """Counts lines and bytes on the way forward."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._at, self._number, self._offset = 0, 1, text.start

    def line(self, held: list[str], first: int, end: int, opens: bool) -> Line:
        self._go_to(first)
        number, offset = self._number, self._offset
        self._go_to(end)
        said = " ".join(html.unescape("".join(held)).split())
        return Line(said, number, self._number, offset, opens)

    def _go_to(self, at: int) -> None:
        passed = self._text.text[self._at : at]
        self._number += passed.count("\n")
        self._offset += self._text.nbytes(passed)
        self._at = at


def _tokens(text: str) -> Iterator[tuple[int, str, str | None]]:
    """Where, what, and the tag's name in small letters (`/` before it where it ends); None for text."""
    at = 0
    while (start := text.find("<", at)) >= 0:
        if start > at:
            yield at, text[at:start], None
        if text.startswith("<!--", start):
            at = _after(text, "-->", start + 4)
            continue
        named = _NAME.match(text, start + 1)
        if named is None and text[start + 1 : start + 2] not in ("!", "?"):
            yield start, "<", None
            at = start + 1
            continue
        at = _after(text, ">", start)
        if named is not None:
            yield start, "", named.group().lower()
            at = _after_silent(text, named.group().lower(), at)
    if at < len(text):
        yield at, text[at:], None


def _after_silent(text: str, name: str, at: int) -> int:
    if name not in _SILENT:
        return at
    end = re.compile(f"</{name}", re.IGNORECASE).search(text, at)
    return end.start() if end is not None else len(text)


def _after(text: str, end: str, at: int) -> int:
    found = text.find(end, at)
    return found + len(end) if found >= 0 else len(text)
