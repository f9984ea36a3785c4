"""`weigh catalog`: what a query finds, narrowed as wished, with the errata that belong to it."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.app.search import exact, find, plain, words_of
from weigh.core.errors import BadReference
from weigh.core.value import Value
from weigh.knowledge.catalog import (
    Entry,
    Erratum,
    Family,
    Kind,
    Licence,
    Task,
    Vendor,
    errata,
    families,
    kinds,
    licences,
    tasks,
    vendors,
)

_CLASSES = {"commercial": ("yes",), "conditional": ("yes", "conditional")}
_SORTS = {"family": Family, "kind": Kind, "licence": Licence, "task": Task, "vendor": Vendor}


class Wish(Value, frozen=True, kw_only=True):
    """What narrows the answer: `since` a year or a month, `licence` a class (`commercial`, `conditional`) or a name."""

    kind: str | None = None
    open: bool | None = None
    since: str | None = None
    vendor: str | None = None
    licence: str | None = None


class Found(Value, frozen=True, kw_only=True):
    """`entries`, best first. `exact`: the first of them is so called; `wrong`: nothing is, for the name is made up."""

    query: str | None = None
    entries: tuple[Entry, ...] = ()
    errata: tuple[Erratum, ...] = ()
    exact: bool = False
    wrong: bool = False


def catalog(query: str | None = None, wish: Wish | None = None) -> Found:
    """Entries for the query, all of them without one. Raises BadReference for a wish that nobody knows."""
    wish = wish or Wish()
    if query is None:
        return Found(entries=tuple(entry for entry in _all() if _is_wished(entry, wish)))
    wrong = _wrongly_named(query)
    meant = tuple(entry for row in wrong for entry in map(entry_of, row.about) if entry is not None)
    named = exact(query)
    entries = tuple(dict.fromkeys((*named, *meant))) if wrong else tuple(hit.entry for hit in find(query))
    kept = tuple(entry for entry in entries if _is_wished(entry, wish))
    is_exact = bool(kept and named and kept[0] == named[0])
    return Found(
        query=query,
        entries=kept,
        errata=wrong or (_about(named) if is_exact else ()),
        exact=is_exact,
        wrong=bool(wrong) and not named,
    )


def errors(query: str | None = None) -> Found:
    """Every erratum; with a query those of that name or about what it finds."""
    if query is None:
        return Found(errata=tuple(errata().values()))
    found = {entry.id for entry in exact(query)} or {hit.entry.id for hit in find(query)}
    asked = plain(query)
    rows = [
        row
        for row in errata().values()
        if asked in map(plain, (row.id, *row.names, *row.about)) or found & set(row.about)
    ]
    return Found(query=query, errata=tuple(rows))


def one(name: str) -> Entry:
    """The one entry that is meant. Raises BadReference if there is none."""
    hits = find(name)
    if not hits or _wrongly_named(name):
        raise BadReference("catalog.nothing", query=name)
    return next(
        (hit.entry for hit in hits if hit.rank == hits[0].rank and isinstance(hit.entry, Family)), hits[0].entry
    )


def line_of(family: Family) -> tuple[Family, ...]:
    """Its line of versions, the oldest first: what it replaced and what replaced it, on the main line."""
    known = families()
    line = [family]
    while line[0].predecessors:
        line.insert(0, known[line[0].predecessors[0]])
    while line[-1].successors:
        line.append(known[line[-1].successors[0]])
    return tuple(line)


def entry_of(id: str) -> Entry | None:
    """The entry with this id, of whatever sort."""
    return next((table[id] for table in (kinds(), tasks(), vendors(), families(), licences()) if id in table), None)


def sort_of(entry: Entry) -> str:
    """Of a family its model kind; of others what they are."""
    if isinstance(entry, Family):
        return entry.kind
    return next(name for name, sort in _SORTS.items() if isinstance(entry, sort))


def _all() -> Iterator[Entry]:
    yield from kinds().values()
    yield from tasks().values()
    yield from vendors().values()
    yield from sorted(families().values(), key=lambda family: (family.vendor, family.released or ""))
    yield from licences().values()


def _wrongly_named(query: str) -> tuple[Erratum, ...]:
    """Errata of which the query is a wrong name, or begins with one word by word."""
    words = [plain(word) for word in words_of(query.rpartition("/")[2])]
    asked = {"".join(words[:end]) for end in range(1, len(words) + 1)} | {plain(query)}
    return tuple(row for row in errata().values() if asked & set(map(plain, row.names)))


def _about(named: tuple[Entry, ...]) -> tuple[Erratum, ...]:
    """Errata that are mainly about what was asked for by its exact name."""
    ids = {entry.id for entry in named}
    return tuple(row for row in errata().values() if row.about and row.about[0] in ids)


def _is_wished(entry: Entry, wish: Wish) -> bool:
    if wish.kind is not None and not _is_of_kind(entry, wish.kind):
        return False
    if (wish.open, wish.since, wish.vendor, wish.licence) == (None, None, None, None):
        return True
    if not isinstance(entry, Family):
        return False
    return (
        (not wish.open or entry.weights == "open")
        and (wish.since is None or _is_since(entry.released, wish.since))
        and (wish.vendor is None or entry.vendor == _vendor(wish.vendor))
        and (wish.licence is None or _may(entry, wish.licence))
    )


def _is_of_kind(entry: Entry, kind: str) -> bool:
    if kind in _SORTS and kind != "kind":
        return isinstance(entry, _SORTS[kind])
    if kind == "kind":
        return isinstance(entry, Kind)
    meant = next((found.id for found in exact(kind) if isinstance(found, Kind)), None)
    if meant is None:
        raise BadReference("catalog.kind", kind=kind, kinds=", ".join([*kinds(), *_SORTS]))
    return isinstance(entry, Family) and entry.kind == meant


def _is_since(released: str | None, since: str) -> bool:
    """Was it surely not before? A year alone is not before its own months."""
    if not since.replace("-", "").isdigit():
        raise BadReference("catalog.since", since=since)
    if released is None:
        return False
    return released[: len(since)] >= since[: len(released)]


def _vendor(name: str) -> str:
    meant = next((found.id for found in exact(name) if isinstance(found, Vendor)), None)
    if meant is None:
        raise BadReference("catalog.vendor", vendor=name)
    return meant


def _may(family: Family, wanted: str) -> bool:
    """Does one of its licences belong to the class, or bear the name?"""
    rows = [licences()[id] for id in family.licences]
    if wanted in _CLASSES:
        return any(row.commercial in _CLASSES[wanted] for row in rows)
    meant = {found.id for found in exact(wanted) if isinstance(found, Licence)}
    if not meant:
        raise BadReference("catalog.licence", licence=wanted)
    return any(row.id in meant for row in rows)
