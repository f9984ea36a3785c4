"""`weigh explain TERM` for what the catalogue knows: kinds, tasks, vendors, families, names that do not exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from weigh.app.catalog import catalog, line_of
from weigh.app.search import exact, find
from weigh.core.explanation import Explanation, Figure
from weigh.core.saying import Hole
from weigh.knowledge.catalog import Entry, Erratum, Family, Kind, Task, Vendor, families, kinds, tasks, vendors

_MOST_IDS = 6
_PLACES = ("country", "homepage", "hf", "ms")
_MEASURES = ("released", "status", "weights", "licences", "sizes", "context_length", "hf", "ms", "ollama")


def explained(term: str) -> tuple[Explanation, ...]:
    """All readings of the term in the catalogue, the main one first; `kind.ID`, `task.ID` ... ask for one of them."""
    sort, _, id = term.strip().partition(".")
    table = _tables().get(sort)
    if table is not None and id in table:
        return (_one(term.strip(), table[id], ()),)
    if errata := catalog(term).errata if not exact(term) else ():
        return tuple(_erratum(term.strip(), row) for row in errata)
    found = [entry for entry in exact(term) if call(entry)]
    return tuple(_one(term.strip(), entry, tuple(found)) for entry in found)


def near(term: str) -> tuple[str, ...]:
    """At most two terms of the catalogue that look like this one."""
    return tuple(hit.entry.names.en for hit in find(term)[:2])


def catalog_contents(*, chinese: bool = False) -> Mapping[str, tuple[str, ...]]:
    """Every kind, task, vendor and family by its name."""
    return {
        sort: tuple(sorted({row.names.zh if chinese else row.names.en for row in table.values()}, key=str.lower))
        for sort, table in _tables().items()
    }


def call(entry: Entry) -> str | None:
    """A spelling that leads to this entry and no other; None for what is not explained."""
    sort = next((sort for sort, table in _tables().items() if table.get(entry.id) is entry), None)
    return f"{sort}.{entry.id}" if sort else None


def _tables() -> Mapping[str, Mapping[str, Entry]]:
    return {"kind": kinds(), "task": tasks(), "vendor": vendors(), "family": families()}


def _one(asked: str, entry: Entry, all_found: tuple[Entry, ...]) -> Explanation:
    others = [spelling for other in all_found if other is not entry and (spelling := call(other))]
    told = _told(entry)
    return Explanation(
        term=asked,
        kind=told.kind,
        page=told.page,
        entry=told.entry,
        values=told.values,
        facts={name: value for name, value in _facts(entry) if value not in (None, ())},
        see_also=(*others, *told.see_also),
        sources=(entry.source, *entry.also),
    )


def _told(entry: Entry) -> Explanation:
    """Which words tell it, and what fills them."""
    match entry:
        case Kind():
            return Explanation(term="", kind="kind", page="kinds", entry=entry.id, sources=())
        case Task():
            see = tuple(f"kind.{id}" for id in entry.kinds)
            return Explanation(term="", kind="task", page="tasks", entry=entry.id, see_also=see, sources=())
        case Vendor():
            return _vendor(entry)
        case Family():
            return _family(entry)
        case _:
            raise TypeError(entry)


def _vendor(vendor: Vendor) -> Explanation:
    made = sorted(
        (row for row in families().values() if row.vendor == vendor.id),
        key=lambda row: (row.status == "current", row.released or ""),
        reverse=True,
    )
    values: dict[str, Hole] = {**_named("name", vendor), "count": len(made)}
    if made:
        values |= _named("newest", made[0])
    see = tuple(f"family.{row.id}" for row in made[:_MOST_IDS])
    section = "vendor" if made else "vendor-alone"
    return Explanation(term="", kind="vendor", page="entries", entry=section, values=values, see_also=see, sources=())


def _family(family: Family) -> Explanation:
    values: dict[str, Hole] = {
        **_named("name", family),
        **_named("vendor", vendors()[family.vendor]),
        **_named("kind", kinds()[family.kind]),
    }
    section = f"family-{family.status}"
    after = family.successors[0] if family.successors else family.taken_over_by
    if family.status == "superseded":
        if after is None:
            section = "family-old"
        else:
            values |= _named("next", families()[after])
    see = (f"vendor.{family.vendor}", f"kind.{family.kind}", *(f"family.{id}" for id in family.successors))
    return Explanation(term="", kind="family", page="entries", entry=section, values=values, see_also=see, sources=())


def _named(hole: str, entry: Entry) -> dict[str, Hole]:
    return {f"{hole}_en": entry.names.en, f"{hole}_zh": entry.names.zh}


def _facts(entry: Entry) -> Iterator[tuple[str, Figure | None]]:
    yield "spellings", entry.aliases
    match entry:
        case Kind():
            yield from (("families", entry.families), ("formats", entry.formats), ("engines", entry.engines))
        case Task():
            yield "families", entry.families
        case Vendor():
            yield from ((name, getattr(entry, name)) for name in _PLACES)
        case Family():
            for name in _MEASURES:
                value = getattr(entry, name)
                yield name, value[:_MOST_IDS] if isinstance(value, tuple) else value
            line = line_of(entry)
            yield "line", tuple(row.id for row in line) if len(line) > 1 else None
        case _:
            return


def _erratum(asked: str, row: Erratum) -> Explanation:
    see = tuple(
        spelling
        for sort, table in _tables().items()
        for id in row.about
        if id in table and (spelling := f"{sort}.{id}")
    )
    return Explanation(
        term=asked, kind="erratum", page="errata", entry=row.id, see_also=see, sources=(row.source, *row.also)
    )
