"""Writes the lists in docs/ from the code: what stands above the mark is by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.clients.matrix import CLIENTS, rows
from tools.make_guide import guide
from tools.make_parity import parity
from weigh.formats import FORMATS, folder_formats
from weigh.knowledge.imports import imports
from weigh.rules import RULES
from weigh.text import LANGUAGES, Language, has_words, say

DOCS = Path(__file__).parents[1] / "docs"
MARK = "<!-- from here on written by `make golden` from the code -->\n"


def pages() -> Iterator[tuple[Path, str]]:
    """Each page and what it should be."""
    for language in LANGUAGES:
        for write in (clients, formats, guide, parity, rules):
            path, lines = DOCS / language / f"{write.__name__}.md", write(language)
            by_hand = path.read_text("utf-8").partition(MARK)[0]
            yield path, by_hand + MARK + "\n" + "\n".join(lines).rstrip() + "\n"


def clients(language: Language) -> Iterator[str]:
    """Two tables, a row a scenario: what each client did, as the tests hold it."""
    did = {(row.client, row.scenario): row.outcome for row in rows()}
    scenarios = dict.fromkeys(row.scenario for row in rows())
    for names in CLIENTS:
        yield "| " + " | ".join((say("docs_clients.what", language), *names)) + " |"
        yield "|---" * (len(names) + 1) + "|"
        for scenario in scenarios:
            outcomes = [did.get((name, scenario)) for name in names]
            cells = [say(f"docs_clients.outcome.{one}", language) if one is not None else "" for one in outcomes]
            yield "| " + " | ".join((say(f"docs_clients.scenario.{scenario}", language), *cells)) + " |"
        yield ""


def formats(language: Language) -> Iterator[str]:
    """A table, a row an identifier: what it is, usual suffixes, what the examination does not look at."""
    heads = [say(f"docs_column.{key}", language) for key in ("format", "what", "suffixes", "not_looked_at")]
    yield "| " + " | ".join(heads) + " |"
    yield "|---|---|---|---|"
    suffixes: dict[str, list[str]] = {}
    left: dict[str, list[str]] = {}
    for format in FORMATS:
        suffixes.setdefault(format.name, []).extend(f"`{suffix}`" for suffix in format.suffixes)
        left.setdefault(format.name, []).extend(not_covered(key, language) for key in format.not_covered)
    for folder in folder_formats():
        suffixes.setdefault(folder.name, [])
    for name in suffixes:
        cells = (
            f"`{name}`",
            say(f"format.{name}", language),
            " ".join(dict.fromkeys(suffixes[name])),
            "; ".join(dict.fromkeys(left.get(name, []))),
        )
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def not_covered(key: str, language: Language) -> str:
    return say(f"not_covered.{key}", language) if has_words(f"not_covered.{key}", language) else f"`{key}`"


def rules(language: Language) -> Iterator[str]:
    """A section a rule: title, why, what to do; with the one on pickles the names it knows."""
    for rule in RULES:
        yield f"## `{rule.id}`: {say(f'rule.{rule.id}.title', language)}\n"
        yield say(f"rule.{rule.id}.why", language) + "\n"
        yield f"→ {say(f'rule.{rule.id}.fix', language)}\n"
        if rule.id == "pickle-import":
            yield from names(language)


def names(language: Language) -> Iterator[str]:
    """What a pickle may name, then what none needs, by reason."""
    for tier, mark in (("safe", "✓"), ("dangerous", "✗")):
        rows = [row for row in imports().values() if row.tier == tier]
        for reason in sorted({row.reason for row in rows}):
            listed = ", ".join(f"`{row.id}`" for row in rows if row.reason == reason)
            yield f"- {mark} {say(f'import.{reason}', language)}: {listed}\n"


if __name__ == "__main__":
    for page, text in pages():
        page.write_text(text, "utf-8")
