"""The words are read as TOML has them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from weigh import text
from weigh.core.errors import TableError
from weigh.core.units import in_bytes
from weigh.text import LANGUAGES, Language, fill


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_section_is_read_as_toml_has_it(language: Language) -> None:
    table = tomllib.loads((Path(text.__file__).parent / f"{language}.toml").read_text("utf-8"))
    assert {name: text._section(name, language) for name in table} == {
        name: dict(flat(section, "")) for name, section in table.items()
    }


def flat(table: dict[str, object], stem: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        found += flat(value, f"{stem}{key}.") if isinstance(value, dict) else [(stem + key, str(value))]
    return found


def test_words_that_are_no_plain_string_are_refused() -> None:
    with pytest.raises(TableError):
        text._string("'words'", "key")


def test_a_hole_shows_a_value_and_never_what_the_value_holds() -> None:
    assert fill("{a} {b:bytes} {c:.2f}", {"a": "{b}", "b": 2048, "c": 0.5}) == f"{{b}} {in_bytes(2048)} 0.50"
    with pytest.raises(KeyError):
        fill("{lacking}", {})
