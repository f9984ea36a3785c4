"""Words: every sentence the program says, in each language it speaks."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from weigh.core.errors import TableError, WeighError
from weigh.core.saying import Hole, Saying
from weigh.core.units import in_bytes, in_parameters

if TYPE_CHECKING:
    from weigh.core.report import Failure

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

# Control and format characters, lone surrogates, line and paragraph separators: what could move the cursor,
# turn the writing direction or end a line of ours.
_UNSAFE = (
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_LONGEST = 200
_HOLE = re.compile(r"\{(\w+)(?::([^{}]*))?\}")


def say(saying: Saying | str, language: Language, **values: Hole) -> str:
    """The sentence in this language, its holes filled; strings in holes are made safe for a screen.

    Raises TableError for a key without words.
    """
    if isinstance(saying, str):
        saying = Saying(saying, **values)
    section, _, rest = saying.key.partition(".")
    words = _section(section, language).get(rest)
    if words is None:
        raise TableError("no_words", key=saying.key, language=language)
    return fill(words, saying.values)


def fill(words: str, values: Mapping[str, Hole]) -> str:
    """A sentence with its holes filled; strings in them are made safe for a screen."""
    return _HOLE.sub(lambda hole: _shown(values[hole[1]], hole[2] or ""), words)


def has_words(key: str, language: Language) -> bool:
    """Is there a sentence for this key?"""
    section, _, rest = key.partition(".")
    return rest in _section(section, language)


def complain(error: WeighError, language: Language) -> str:
    """An error as one line: which file, which offset, what, what to do."""
    return place(error.path, error.offset, language) + say(error.saying, language)


def complain_about(failure: Failure, language: Language) -> str:
    """The same for what a Report keeps of an error."""
    return place(failure.path, failure.offset, language) + say(failure.message, language)


def place(path: str | None, offset: int | None, language: Language) -> str:
    """The start of a line about a place in a file; empty where there is none."""
    if path is None:
        return ""
    if offset is None:
        return say("place.file", language, path=path)
    return say("place.offset", language, path=path, offset=offset)


def safe(text: str, *, longest: int = _LONGEST) -> str:
    """Text from outside, fit for a screen: on one line, with nothing invisible, not endless."""
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_UNSAFE, lambda match: f"\\u{{{ord(match.group()):x}}}", text)


def _shown(value: Hole, form: str) -> str:
    """`{n:bytes}`, `{n:parameters}` and Python's own forms."""
    match value, form:
        case str(text), _:
            return safe(text)
        case int(nbytes), "bytes":
            return in_bytes(nbytes)
        case int(count) | float(count), "parameters":
            return in_parameters(count)
        case _:
            return format(value, form)


@functools.cache
def _section(name: str, language: Language) -> dict[str, str]:
    """The sentences below `[name]`, keyed by the rest of their dotted key; only they are parsed."""
    chunks = re.findall(rf"^\[{re.escape(name)}(?:\.[^\]\n]*)?\]\n(?:(?!\[).*\n?)*", _words(language), re.MULTILINE)
    found: dict[str, str] = {}
    stem = ""
    for line in "".join(chunks).split("\n"):
        key, equals, words = line.partition(" = ")
        if equals:
            found[stem + key] = _string(words, line)
        elif line.startswith("["):
            stem = f"{line[1:-1]}.".partition(".")[2]
    return found


def _string(words: str, line: str) -> str:
    """A basic string of TOML's as JSON has it too: words need no more, and no parser is loaded for them."""
    try:
        return msgspec.json.decode(words, type=str)
    except msgspec.MsgspecError as error:
        raise TableError("words", key=line) from error


@functools.cache
def _words(language: Language) -> str:
    with open(os.path.join(os.path.dirname(__file__), f"{language}.toml"), encoding="utf-8") as file:
        return file.read()
