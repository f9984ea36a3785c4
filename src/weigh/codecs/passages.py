"""A text cut into passages that a model can take, each with its lines and its place in the file."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from weigh.codecs.words import WIDE

_WIDE = re.compile(f"[{WIDE}]")
_HEADING = re.compile(r"#{1,6}\s|={3,}|-{3,}")
_SURROGATES = re.compile("[\ud800-\udfff]")
_END = re.compile(r"[.!?;]\s|[。！？；\n]|\s")
_WEIGHT = 4  # of a letter where each is a token of its own


class Line(NamedTuple):
    """A line, or a block, of a text: its number from 1, its offset in bytes; `opens`: a passage begins with it."""

    text: str
    first: int
    last: int
    offset: int
    opens: bool = False


class Passage(NamedTuple):
    """A stretch of a file."""

    text: str
    first: int
    last: int
    offset: int


class Text(NamedTuple):
    """A file's text: how it was written, and the bytes before its first letter."""

    text: str
    encoding: str
    start: int = 0

    def nbytes(self, part: str) -> int:
        """How long a part of it is in the file."""
        return len(part.encode(self.encoding, "surrogateescape" if self.encoding == "utf-8" else "replace"))


def read_text(data: bytes) -> Text | None:
    """By its byte order mark, else UTF-8, else GB 18030; None for what is no text."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return Text(data[2:].decode(encoding, "replace"), encoding, 2)
    if b"\0" in data:
        return None
    start = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    for encoding in ("utf-8", "gb18030"):
        try:
            return Text(data[start:].decode(encoding), encoding, start)
        except UnicodeDecodeError:
            continue
    return Text(data[start:].decode("utf-8", "surrogateescape"), "utf-8", start)


def cut(lines: Iterable[Line], longest: int, nbytes: Callable[[str], int]) -> Iterator[Passage]:
    """Lines gathered while they are no heavier than `longest`; a line that is, in several parts.

    A letter of a script without spaces weighs four, every other one: about tokens times four.
    """
    held: list[Line] = []
    heavy = 0
    for line in (part for whole in lines for part in _parts(whole, longest, nbytes)):
        ends = not line.text.strip() and heavy > longest // 2
        if held and (line.opens or ends or heavy + weight(line.text) > longest):
            yield from _passage(held)
            held, heavy = [], 0
        held.append(line)
        heavy += weight(line.text)
    yield from _passage(held)


def prose(text: Text) -> Iterator[Line]:
    """Line by line; a heading begins a passage."""
    offset = text.start
    for number, line in enumerate(text.text.split("\n"), 1):
        yield Line(line.rstrip("\r"), number, number, offset, _HEADING.match(line) is not None)
        offset += text.nbytes(line) + text.nbytes("\n")


def weight(text: str) -> int:
    """Of a text.

    >>> weight("过秤 it")
    11
    """
    return len(text) + (_WEIGHT - 1) * len(_WIDE.findall(text))


def _passage(lines: list[Line]) -> Iterator[Passage]:
    """Without the empty lines around it; none of empty lines alone."""
    full = [at for at, line in enumerate(lines) if line.text.strip()]
    if full:
        kept = lines[full[0] : full[-1] + 1]
        text = _SURROGATES.sub("\ufffd", "\n".join(line.text for line in kept)).replace("\0", "\ufffd")
        yield Passage(text, kept[0].first, kept[-1].last, kept[0].offset)


def _parts(line: Line, longest: int, nbytes: Callable[[str], int]) -> Iterator[Line]:
    if len(line.text) * _WEIGHT <= longest or weight(line.text) <= longest:
        yield line
        return
    at, offset, opens = 0, line.offset, line.opens
    while at < len(line.text):
        part = _part(line.text[at : at + longest], longest)
        yield Line(part, line.first, line.last, offset, opens)
        at, offset, opens = at + len(part), offset + nbytes(part), False


def _part(text: str, longest: int) -> str:
    """As much of its beginning as is light enough, to the end of a sentence or a word where one ends in its half."""
    while weight(text) > longest and len(text) > 1:
        text = text[: max(len(text) * longest // weight(text), 1)]
    ends = [match.end() for match in _END.finditer(text, len(text) // 2)]
    return text[: ends[-1]] if ends else text
