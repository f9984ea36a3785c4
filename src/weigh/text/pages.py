"""The words of an Explanation: one section of one page, read when it is asked for."""

from __future__ import annotations

import functools
import os
import re
import tomllib
from collections.abc import Mapping

from weigh.core.errors import TableError
from weigh.core.explanation import Explanation, Page
from weigh.core.schema import SCHEMA
from weigh.text import LANGUAGES, Language, fill, say


def paragraphs(explanation: Explanation, language: Language) -> Mapping[str, str]:
    """Paragraphs by their role (`is`, `how`, `cost`, `use` ...) in reading order. Raises TableError."""
    words = section(explanation.page, explanation.entry, language)
    if not words:
        raise TableError("no_words", key=f"{explanation.page}.{explanation.entry}", language=language)
    if not explanation.values:
        return words
    return {role: fill(text, explanation.values) for role, text in words.items()}


def document(explanation: Explanation) -> dict[str, object]:
    """The object that `weigh explain --json` prints."""
    facts = dict(explanation.facts)
    if explanation.see_also:
        facts["see_also"] = explanation.see_also
    return {
        "schema": SCHEMA,
        "term": explanation.term,
        "kind": explanation.kind,
        "text": {language: _whole(explanation, language) for language in LANGUAGES},
        "facts": facts,
        "sources": explanation.sources,
    }


def document_of_unknown(term: str, near: tuple[str, ...]) -> dict[str, object]:
    """The same form for a term that nobody knows; `near` are terms that look like it."""
    text = {language: unknown(term, near, language) for language in LANGUAGES}
    return {"schema": SCHEMA, "term": term, "kind": "unknown", "text": text, "facts": {"nearest": near}, "sources": ()}


def unknown(term: str, near: tuple[str, ...], language: Language) -> str:
    """One line that says so and offers the nearest terms."""
    if not near:
        return say("explain.unknown", language, term=term)
    return say("explain.unknown_near", language, term=term, near=say("explain.comma", language).join(near))


def section(page: Page, entry: str, language: Language) -> dict[str, str]:
    """The sentences below `[ENTRY]` of `explain/PAGE.LANGUAGE.toml`; empty if none. Only they are parsed."""
    head = rf'(?:"{re.escape(entry)}"|{re.escape(entry)})'
    found = re.search(rf"^\[{head}\]\n(?:(?!\[).*\n?)*", _page(page, language), re.MULTILINE)
    if found is None:
        return {}
    (table,) = tomllib.loads(found.group().replace(found.group().partition("\n")[0], "[entry]", 1)).values()
    return dict(table)


def every_section(page: Page, language: Language) -> dict[str, dict[str, str]]:
    """A whole page."""
    return tomllib.loads(_page(page, language))


def _whole(explanation: Explanation, language: Language) -> str:
    texts = list(paragraphs(explanation, language).values())
    if explanation.page == "scenarios":
        for entry in (key for key in explanation.facts if "." not in key):
            words = section("scenarios", entry, language)
            texts.append(
                f"{words['title']}: {words['why']}" if language == "en" else f"{words['title']}：{words['why']}"
            )
    return "\n".join(texts)


@functools.cache
def _page(page: Page, language: Language) -> str:
    path = os.path.join(os.path.dirname(__file__), "explain", f"{page}.{language}.toml")
    with open(path, encoding="utf-8") as file:
        return file.read()
