"""The lists in docs/ are what the code says now."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tools.make_docs import DOCS, pages
from weigh.knowledge.catalog import Entry, errata, families, kinds, tasks, vendors
from weigh.knowledge.naming import quantisations
from weigh.knowledge.terms import terms
from weigh.text import LANGUAGES, Language, say
from weigh.text.pages import section

PRIMER = Path(__file__).parents[1] / "cases" / "primer_headings.txt"
HEADINGS = [line.split("\t") for line in PRIMER.read_text("utf-8").splitlines() if not line.startswith("#")]


def test_the_docs_are_in_step_with_the_code() -> None:
    assert [str(path) for path, text in pages() if path.read_text("utf-8") != text] == []


def test_the_guide_is_bounded_and_every_family_and_erratum_is_in_it() -> None:
    for language in LANGUAGES:
        text = (DOCS / language / "guide.md").read_text("utf-8")
        assert len(text.splitlines()) < 2000
        names = [row.names.zh if language == "zh" else row.names.en for row in families().values()]
        assert [name for name in names if name not in text] == []
        assert [id for id in errata() if f"`{id}`" not in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("place", "counterparts"), HEADINGS, ids=[place for place, _ in HEADINGS])
def test_whatever_the_usual_primer_has_stands_corrected_in_the_guide(
    place: str, counterparts: str, language: Language
) -> None:
    text = (DOCS / language / "guide.md").read_text("utf-8")
    assert [one for one in counterparts.split() if expected(*one.split(":"), language) not in text] == []


def test_every_erratum_has_its_place_in_the_primer() -> None:
    told = set(re.findall(r"(?:erratum|advice):(E\d+)", PRIMER.read_text("utf-8")))
    assert set(errata()) - told == set()


def expected(sort: str, id: str, language: Language) -> str:
    """How the guide writes it."""
    return EXPECTED[sort](id, language)


def called(entry: Entry, language: Language) -> str:
    return entry.names.zh if language == "zh" else entry.names.en


def kind(id: str, language: Language) -> str:
    return f"{called(kinds()[id], language)}\n\n{next(iter(section('kinds', id, language).values()))}"


def task(id: str, language: Language) -> str:
    return f"{called(tasks()[id], language)}{'**' * bool(tasks()[id].aigc)} | {section('tasks', id, language)['is']}"


def quantisation(id: str, language: Language) -> str:
    return f"| [{id}]({next(row.source for row in quantisations() if row.id == id)}) | "


def advice(id: str, language: Language) -> str:
    words = section("errata", id, language)
    return f"- ~~{words['said']}~~ {words['right']}"


def heading(id: str, language: Language) -> str:
    return f"# {say('explain.kind.quantisation' if id == 'quantisation' else f'guide.{id}', language)}\n"


EXPECTED: Mapping[str, Callable[[str, Language], str]] = {
    "kind": kind,
    "task": task,
    "quant": quantisation,
    "advice": advice,
    "heading": heading,
    "vendor": lambda id, language: f"**{called(vendors()[id], language)}** · <",
    "family": lambda id, language: called(families()[id], language),
    "erratum": lambda id, language: f"- `{id}` *",
    "trend": lambda id, language: f"- **{section('trends', id, language)['title']}** - ",
    "scenario": lambda id, language: f"| {section('scenarios', id, language)['title']} | ",
    "format": lambda id, language: f"| [{id}]({terms()[f'format.{id}'].source}) | ",
    "suffix": lambda id, language: f"]({terms()[id].source}) | {section('suffixes', id, language)['is']} | ",
    "part": lambda id, language: f"### {say(f'explain.kind.{id}', language)}\n",
    "table": lambda id, language: f"| {say('guide.part.size', language)} |",
    "site": lambda id, language: f"(https://{id})",
}
