"""What a query finds among the models that others publish and the table has no row for."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.app.search import plain, words_of
from weigh.app.sync.comparison import disagreements
from weigh.knowledge.catalog import Entry, Family
from weigh.knowledge.synced import Disagreement, Met, Synced, Told

MOST_MET = 20
_ENOUGH = 3  # letters of a query


def look(query: str, synced: Synced, *, known: bool) -> tuple[Met, ...]:
    """The newest first. Where the table has an answer (`known`), only models that belong to none of its families."""
    asked, words = plain(query), [plain(word) for word in words_of(query)]
    if len(asked) < _ENOUGH:
        return ()
    met: dict[str, Met] = {}
    for source, day, row in _rows(synced):
        name = plain(row.id.rpartition("/")[2])
        if row.own or (known and row.family is not None):
            continue
        if asked in (name, plain(row.id)) or all(_begins(row, word) for word in words):
            met[name] = _joined(met.get(name), row, source, day)
    found = sorted(met.values(), key=lambda one: (one.released or "", one.id), reverse=True)
    return tuple(found[:MOST_MET])


def heard_of(entry: Entry, synced: Synced) -> tuple[Disagreement, ...]:
    """Where the sources disagree with the table about this entry."""
    return disagreements(synced, entry) if isinstance(entry, Family) else ()


def _rows(synced: Synced) -> Iterator[tuple[str, str, Told]]:
    for source in synced.sources:
        for row in source.models:
            yield source.source, source.day, row


def _begins(row: Told, word: str) -> bool:
    """Is it the beginning of the name, or of a word of it?"""
    text = f"{row.id} {row.name or ''}"
    return any(plain(part).startswith(word) for part in (text.rpartition("/")[2], *words_of(text)))


def _joined(one: Met | None, row: Told, source: str, day: str) -> Met:
    """One model of several sources; what the first said of it stays."""
    before = one.heard if one is not None else ()
    return Met(
        id=one.id if one is not None else row.id,
        name=(one.name if one is not None else None) or row.name,
        family=(one.family if one is not None else None) or row.family,
        vendor=(one.vendor if one is not None else None) or row.vendor,
        kind=(one.kind if one is not None else None) or row.kind,
        released=(one.released if one is not None else None) or row.released,
        heard=(*before, (source, day)) if (source, day) not in before else before,
    )
