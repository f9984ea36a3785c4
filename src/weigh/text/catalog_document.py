"""Entries and errata of the catalogue as plain values: for JSON and for CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

import msgspec

from weigh.core.schema import SCHEMA
from weigh.knowledge.catalog import AS_OF, Entry, Erratum, Family, licences
from weigh.text import LANGUAGES
from weigh.text.pages import section

_COLUMNS = (
    "id kind name_en name_zh vendor version released status weights api licences commercial sizes context_length"
    " hf ms ollama predecessors successors confidence source"
).split()


def catalog_document(
    query: str | None, entries: Iterable[tuple[str, Entry]], errata: Iterable[Erratum]
) -> dict[str, object]:
    """The object that `weigh catalog --json` prints; each entry comes with its sort."""
    return {
        "schema": SCHEMA,
        "query": query,
        "as_of": AS_OF,
        "entries": [entry_document(sort, entry) for sort, entry in entries],
        "errata": [erratum_document(row) for row in errata],
    }


def entry_document(sort: str, entry: Entry) -> dict[str, object]:
    """`id`, `kind` and `names` first; of a family its licences with what each allows."""
    plain = msgspec.to_builtins(entry)
    found: dict[str, object] = {"id": entry.id, "kind": sort, "names": plain["names"], **plain}
    if isinstance(entry, Family):
        found["licences"] = [msgspec.to_builtins(licences()[id]) for id in entry.licences]
    return found


def erratum_document(row: Erratum) -> dict[str, object]:
    """The row with its words in both languages."""
    words = {language: section("errata", row.id, language) for language in LANGUAGES}
    told = {role: {language: words[language][role] for language in LANGUAGES} for role in ("said", "right")}
    return {**msgspec.to_builtins(row), **told}


def csv_text(entries: Iterable[tuple[str, Entry]]) -> str:
    """One line an entry under a line of columns; what is many stands between semicolons."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for sort, entry in entries:
        plain = msgspec.to_builtins(entry)
        plain |= {"kind": sort, "name_en": entry.names.en, "name_zh": entry.names.zh}
        if isinstance(entry, Family):
            plain["commercial"] = list(dict.fromkeys(licences()[id].commercial for id in entry.licences))
        writer.writerow([_cell(plain.get(column)) for column in _COLUMNS])
    return out.getvalue()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case list(many) | tuple(many):
            return ";".join(map(str, many))
        case _:
            return str(value)
