"""Words: every sentence the program says, in each language it speaks."""

from __future__ import annotations

import functools
import os
import re
import string
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from weigh.core.errors import TableError, WeighError
from weigh.core.saying import Hole, Saying
from weigh.core.units import in_bytes, in_parameters

if TYPE_CHECKING:
    from weigh.core.report import Failure

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")

# Control and format characters, lone surrogates, line and paragraph separators: what could move the cursor,
# turn the writing direction or end a line of ours.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)
_LONGEST = 200


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
    return _FORMATTER.vformat(words, (), values)


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
    return _UNSAFE.sub(lambda match: f"\\u{{{ord(match.group()):x}}}", text)


class _Formatter(string.Formatter):
    """`{n:bytes}`, `{n:parameters}` and Python's own formats; never attributes or items of a value."""

    def get_field(self, field_name: str, args: object, kwargs: Mapping[str, object]) -> tuple[object, str]:
        return kwargs[field_name], field_name

    def format_field(self, value: object, format_spec: str) -> str:
        match value, format_spec:
            case str(text), _:
                return safe(text)
            case int(nbytes), "bytes":
                return in_bytes(nbytes)
            case int(count) | float(count), "parameters":
                return in_parameters(count)
            case _:
                return format(value, format_spec)


_FORMATTER = _Formatter()


@functools.cache
def _section(name: str, language: Language) -> dict[str, str]:
    """The sentences below `[name]`, keyed by the rest of their dotted key; only they are parsed."""
    chunks = re.findall(rf"^\[{re.escape(name)}(?:\.[^\]\n]*)?\]\n(?:(?!\[).*\n?)*", _words(language), re.MULTILINE)
    table = tomllib.loads("".join(chunks)).get(name, {})
    return dict(_flat(table, ""))


def _flat(table: Mapping[str, object], stem: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        match value:
            case str(words):
                found.append((stem + key, words))
            case dict():
                found += _flat(value, f"{stem}{key}.")
            case _:
                raise TableError("words", key=stem + key)
    return found


@functools.cache
def _words(language: Language) -> str:
    with open(os.path.join(os.path.dirname(__file__), f"{language}.toml"), encoding="utf-8") as file:
        return file.read()
