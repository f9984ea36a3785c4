"""Words: the same sentences with the same holes in every language, and nothing hostile gets through them."""

from __future__ import annotations

import string
import tomllib
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weigh.core.errors import Truncated
from weigh.core.saying import Saying
from weigh.text import LANGUAGES, Language, complain, safe, say


def flat(table: dict[str, object], stem: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= flat(value, f"{stem}{key}.")
        else:
            found[stem + key] = str(value)
    return found


def words(language: Language) -> dict[str, str]:
    return flat(tomllib.loads(resources.files("weigh.text").joinpath(f"{language}.toml").read_text("utf-8")))


def holes(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_every_sentence_is_there_in_every_language() -> None:
    assert set(words("en")) == set(words("zh"))


def test_a_sentence_has_the_same_holes_in_every_language() -> None:
    english, chinese = words("en"), words("zh")
    assert {key for key in english if holes(english[key]) != holes(chinese[key])} == set()


def test_every_hole_is_a_plain_name() -> None:
    for language in LANGUAGES:
        assert {
            hole for sentence in words(language).values() for hole in holes(sentence) if not hole.isidentifier()
        } == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_saying_one_section_finds_what_parsing_the_whole_finds(language: Language) -> None:
    from weigh.text import has_words

    assert [key for key in words(language) if not has_words(key, language)] == []


def test_an_error_says_file_and_offset_first() -> None:
    error = Truncated("past_end", path="a.gguf", offset=24, what="tensor_count", length=8, left=3)
    assert complain(error, "en").startswith("a.gguf, byte 24: ")
    assert complain(error, "zh").startswith("a.gguf，第 24 字节：")


@given(st.text())
def test_nothing_from_outside_moves_the_cursor_or_turns_the_line(text: str) -> None:
    shown = safe(text)
    assert not any(char in shown for char in "\x1b\r\n\x07\x9b\u202e\u2066\u200b")
    assert len(shown) < 200 * 10 + 1


def test_braces_in_a_value_are_no_holes() -> None:
    assert "{what.__class__}" in say(Saying("place.file", path="{what.__class__}"), "en")
