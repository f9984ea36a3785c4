"""The table held against what each source says of the same family, and a source against itself of before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from weigh.app.sync.belonging import licence_of
from weigh.knowledge.catalog import Family, families
from weigh.knowledge.synced import Change, Disagreement, Heard, Synced, Told

Values = tuple[str, ...]
_MOST_SHOWN = 6  # values of one source for one field
_NEAR = 0.05  # 128,000 and 131,072 tokens are the same promise
_HUBS = ("hf", "ms")
_MONTH = len("2026-11")
_BILLIONS = re.compile(r"(\d+(?:\.\d+)?)([TBM])")
_UNITS = {"T": 1e12, "B": 1e9, "M": 1e6}
_COMPARED = ("released", "context_length", "weights", "licence", "name")


def disagreements(synced: Synced, only: Family | None = None) -> tuple[Disagreement, ...]:
    """Family by family and field by field, where a source says other than the table, or more than nothing."""
    told = {source.source: _by_family(source.models) for source in synced.sources}
    absent = {source.source: frozenset(source.absent) for source in synced.sources}
    found = []
    for family in families().values() if only is None else (only,):
        rows = {source: of[family.id] for source, of in told.items() if family.id in of}
        for field, ours, said, agree in _FIELDS:
            theirs = {source: said(source, of) for source, of in rows.items()}
            theirs = {source: values for source, values in theirs.items() if values}
            table = ours(family)
            if any(not agree(table, values) for values in theirs.values()):
                shown = tuple((source, values[:_MOST_SHOWN]) for source, values in theirs.items())
                found.append(Disagreement(family=family.id, field=field, ours=table, theirs=shown))
        found += _absences(family, absent)
    return tuple(found)


def changes(before: Heard | None, now: Heard) -> tuple[Change, ...]:
    """Against the same source of before; the first time, what belongs to no family of the table."""
    if before is None:
        return tuple(_change(now, row, "new") for row in now.models if row.family is None)
    earlier, later = {row.id: row for row in before.models}, {row.id: row for row in now.models}
    found = [_change(now, row, "new") for id, row in later.items() if id not in earlier]
    if before.whole and now.whole:
        found += [_change(now, row, "gone") for id, row in earlier.items() if id not in later]
    for id in earlier.keys() & later.keys():
        found += _differences(now.source, earlier[id], later[id])
    return tuple(sorted(found, key=lambda change: (change.what, change.id, change.field or "")))


def _change(heard: Heard, row: Told, what: str) -> Change:
    return Change(source=heard.source, id=row.id, family=row.family, what="gone" if what == "gone" else "new")


def _differences(source: str, before: Told, after: Told) -> Iterator[Change]:
    for field in _COMPARED:
        was, is_now = getattr(before, field), getattr(after, field)
        if was != is_now:
            yield Change(
                source=source,
                id=after.id,
                family=after.family,
                what="changed",
                field=field,
                before=None if was is None else str(was),
                after=None if is_now is None else str(is_now),
            )


def _by_family(rows: Iterable[Told]) -> dict[str, list[Told]]:
    found: dict[str, list[Told]] = {}
    for row in rows:
        if row.family is not None:
            found.setdefault(row.family, []).append(row)
    return found


def _absences(family: Family, absent: dict[str, frozenset[str]]) -> Iterator[Disagreement]:
    """Ids of the table that a hub does not list."""
    for hub, ids in (("hf", family.hf), ("ms", family.ms)):
        gone = tuple(id for id in ids if id in absent.get(hub, frozenset()))
        if gone:
            yield Disagreement(family=family.id, field=hub, ours=gone, theirs=((hub, ()),))


def _dates(source: str, rows: list[Told]) -> Values:
    """The earliest; of a hub only of what the table names, for others put up copies."""
    days = [row.released for row in rows if row.released and (source not in _HUBS or row.own)]
    return (min(days),) if days else ()


def _contexts(source: str, rows: list[Told]) -> Values:
    return tuple(map(str, sorted({row.context_length for row in rows if row.context_length})))


def _weights(source: str, rows: list[Told]) -> Values:
    return tuple(sorted({row.weights for row in rows if row.weights is not None}))


def _licences(source: str, rows: list[Told]) -> Values:
    known = (licence_of(row.licence) for row in rows if row.licence is not None and row.own)
    return tuple(sorted({licence for licence in known if licence is not None}))


def _sizes(source: str, rows: list[Told]) -> Values:
    return tuple(dict.fromkeys(size for row in rows for size in row.sizes))


def _same_month(ours: Values, theirs: Values) -> bool:
    return bool(ours) and theirs[0].startswith(ours[0][:_MONTH][: len(theirs[0])])


def _near(ours: Values, theirs: Values) -> bool:
    return bool(ours) and any(abs(int(said) - int(ours[0])) <= _NEAR * int(ours[0]) for said in theirs)


def _one_of(ours: Values, theirs: Values) -> bool:
    return bool(set(ours) & set(theirs))


def _all_sizes(ours: Values, theirs: Values) -> bool:
    """Has the table each of their sizes, rounding aside?"""
    known = [parameters for size in ours if (parameters := _parameters(size))]
    others = [parameters for size in theirs if (parameters := _parameters(size))]
    return all(any(abs(other - one) <= 2 * _NEAR * one for one in known) for other in others)


def _parameters(size: str) -> float | None:
    found = _BILLIONS.match(size)
    return float(found[1]) * _UNITS[found[2]] if found is not None else None


_FIELDS: tuple[
    tuple[
        str,
        Callable[[Family], Values],
        Callable[[str, list[Told]], Values],
        Callable[[Values, Values], bool],
    ],
    ...,
] = (
    ("released", lambda family: (family.released,) if family.released else (), _dates, _same_month),
    ("context", lambda family: (str(family.context_length),) if family.context_length else (), _contexts, _near),
    ("weights", lambda family: (family.weights,), _weights, _one_of),
    ("licence", lambda family: family.licences, _licences, _one_of),
    ("sizes", lambda family: family.sizes, _sizes, _all_sizes),
)
