"""A word cut where known words meet digits and each other: `Qwen2VL`, `FireRedTTS3`, 通义千问大模型."""

from __future__ import annotations

import functools
import re

from weigh.names.figures import figures
from weigh.names.lexicon import is_word
from weigh.names.tokens import CJK, Token, runs_of

Piece = tuple[int, int]

_RUNS = re.compile(r"[a-z]+|[0-9]+(?:[._][0-9]+)*")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_LABEL = re.compile(r"(?:[0-9]{2})?(?:ud)?(?:i?q|tq|kq)[1-8](?:_.*)?|int[2-8]mix")
_DIGEST = re.compile(r"(?=.*[0-9])(?=.*[a-f])[0-9a-f]{7,}")
_TWO_FIGURES = re.compile(r"([0-9]+)_[0-9.]+[bm]")
_SHAPE_AND_SIZE = re.compile(r"([a-z][a-z0-9.]*?[0-9])_([0-9.]+[bm])")
_NUMBERED = re.compile(r"([a-z]{3,}?)v?[0-9]{1,2}(?:[.pd][0-9]{1,2})?")
_MARKED = re.compile(r"(.*?[a-z])(?:v?[0-9]+(?:\.[0-9]+)*)")
_DIGITS = re.compile(r"v?[0-9]+(?:[._][0-9]+)*")
_MARKS = "vkrmtq"  # letters that begin a release mark
_LONGEST, _LONGEST_CHINESE, _MOST = 40, 8, 160


def tokens_of(text: str) -> list[Token]:
    """The text's runs, each cut where all of its pieces are known; linear in the text."""
    found: list[Token] = []
    done = 0
    for run in runs_of(text):
        at, end = run.span()
        before = text[done:at]
        done = end
        if end - at > _MOST:
            found.append(Token(at, end, run[0].lower(), before))
            continue
        for start, stop, low in _cut(run[0]):
            found.append(Token(at + start, at + stop, low, before))
            before = ""
    return found


@functools.lru_cache(maxsize=16384)
def _cut(raw: str) -> tuple[tuple[int, int, str], ...]:
    """The pieces of one run, each with its place and its lower case."""
    pieces = _pieces(raw) or ((0, len(raw)),)
    return tuple((start, end, raw[start:end].lower()) for start, end in pieces)


def _pieces(raw: str) -> tuple[Piece, ...]:
    """Where the word's pieces lie; empty for a word that stays whole."""
    if CJK[0] <= raw[0] <= CJK[-1]:  # such a run holds nothing else
        return _chinese(raw)
    low = raw.lower()
    if not raw.isascii() or len(raw) > _LONGEST or is_word(low) or is_label(low) or is_digest(low):
        return ()
    if figures(low):
        return ()
    if (two := _SHAPE_AND_SIZE.fullmatch(low)) is not None:
        return (*(_pieces(raw[: two.end(1)]) or ((0, two.end(1)),)), (two.start(2), len(low)))
    return _known_pieces(raw, low) or _numbered(low)


def _numbered(low: str) -> tuple[Piece, ...]:
    """An unknown word and a release mark that hangs on it: `Foo2.5`."""
    found = _NUMBERED.fullmatch(low)
    return ((0, found.end(1)), (found.end(1), len(low))) if found is not None else ()


def is_label(low: str) -> bool:
    """Does a GGUF label start with this word?"""
    return _LABEL.fullmatch(low) is not None


def is_digest(low: str) -> bool:
    """Hexadecimal digits of a hash: no figure in them means anything."""
    return _DIGEST.fullmatch(low) is not None


def _known_pieces(raw: str, low: str) -> tuple[Piece, ...]:
    """Letters that are known words and digits between; empty where a piece is not known."""
    if (marked := _MARKED.fullmatch(low)) is not None and len(marked[1]) > 1 and is_word(marked[1]):
        return (0, marked.end(1)), (marked.end(1), len(low))
    pieces: list[Piece] = []
    at = 0
    while at < len(low):
        run = _RUNS.match(low, at)
        if run is None:
            return ()
        start, end = run.span()
        if run[0][0].isdigit():
            end = _end_of_figure(low, start, end)
            pieces.append((start, end))
        elif (len(run[0]) > 1 and is_word(run[0])) or (run[0] == "r" and not pieces and low[-1] == "b"):
            pieces.append((start, end))
        elif run[0][-1] in _MARKS and len(run[0]) > 3 and is_word(run[0][:-1]) and end < len(low):
            end = _end_of_figure(low, end - 1, len(low))
            pieces += [(start, run.end() - 1), (run.end() - 1, end)]
        elif not (apart := _camel(raw[start:end], start)):
            return ()
        else:
            pieces += apart
        at = end
    return tuple(pieces) if len(pieces) > 1 else ()


def _end_of_figure(low: str, start: int, end: int) -> int:
    """All that is left where it is one figure (`3n`, `7b`); else the digits alone (`2` of `2vl`, of `2_7b`)."""
    if (two := _TWO_FIGURES.fullmatch(low, start)) is not None and start > 0:
        return two.end(1)
    if figures(low[start:]):
        return len(low)
    digits = _DIGITS.match(low, start)
    return digits.end() if digits else end


def _camel(raw: str, at: int) -> list[Piece]:
    """`SenseVoiceSmall`: the longest runs of capitalised pieces that are words; empty where one is not."""
    spans = [match.span() for match in _CAMEL.finditer(raw)]
    pieces: list[Piece] = []
    first = 0
    while first < len(spans):
        for last in range(len(spans) - 1, first - 1, -1):
            if spans[last][1] - spans[first][0] > 1 and is_word(raw[spans[first][0] : spans[last][1]].lower()):
                pieces.append((at + spans[first][0], at + spans[last][1]))
                first = last + 1
                break
        else:
            return []
    return pieces


def _chinese(raw: str) -> tuple[Piece, ...]:
    """Known words from the left, the longest first; what lies between is one piece."""
    pieces: list[Piece] = []
    at = unknown = 0
    while at < len(raw):
        for length in range(min(_LONGEST_CHINESE, len(raw) - at), 0, -1):
            if is_word(raw[at : at + length]):
                if unknown < at:
                    pieces.append((unknown, at))
                pieces.append((at, at + length))
                at = unknown = at + length
                break
        else:
            at += 1
    if unknown < len(raw):
        pieces.append((unknown, len(raw)))
    return tuple(pieces) if len(pieces) > 1 else ()
