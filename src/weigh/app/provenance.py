"""What the catalogue says of a report's model: whose it is, how old, replaced by what, under which licence."""

from __future__ import annotations

from datetime import date

import msgspec

from weigh.app.catalog import catalog
from weigh.app.search import exact, family_named
from weigh.core.reference import Reference
from weigh.core.report import Named, Provenance, Report, Terms
from weigh.knowledge.catalog import AS_OF, Entry, Family, families, licences, vendors

_FRESH_DAYS = 180
_OTHER = {"hf": "ms", "ms": "hf"}


def provenance(report: Report, today: date) -> Provenance | None:
    """None where neither the hub id nor the name leads to a family. `today` tells how old all is."""
    if report.error is not None:
        return None
    reference = report.reference
    named = report.name.name if report.name is not None else None
    by_id = _by_hub_id(reference)
    family = by_id or (family_named(named) if named else None)
    wrong = catalog(named) if named and reference.hub in ("name", "path") else None  # on a hub it exists
    if family is None and wrong is not None and wrong.wrong:
        family = next((entry for entry in wrong.entries if isinstance(entry, Family)), None)
    if family is None:
        return None
    return Provenance(
        found_by="hub_id" if by_id else "name",
        family=_named(family),
        vendor=_named(vendors()[family.vendor]),
        uploaded_by=_uploader(reference, family),
        released=family.released,
        age_days=_age(family.released, today),
        status=family.status,
        superseded_by=tuple(_named(families()[id]) for id in _after(family)),
        weights=family.weights,
        licences=tuple(_terms(id) for id in family.licences),
        also_on=_also_on(reference, named, family),
        wrong_name=wrong.errata[0].id if wrong is not None and wrong.wrong else None,
        confidence=family.confidence,
        source=family.source,
        as_of=AS_OF,
        is_stale=(today - date.fromisoformat(AS_OF)).days > _FRESH_DAYS,
    )


def also_on(reference: Reference) -> tuple[str, ...]:
    """The same weights on the other hub, where the catalogue knows them by the id of this repository."""
    family = _by_hub_id(reference)
    return _also_on(reference, None, family) if family is not None else ()


def _by_hub_id(reference: Reference) -> Family | None:
    if reference.hub == "ollama" and reference.namespace in (None, "library"):
        tagged = (row for row in families().values() if row.ollama == reference.name)
        return min(tagged, key=lambda row: row.released or "", default=None)
    if reference.hub not in _OTHER:
        return None
    return next((row for row in exact(_hub_id(reference)) if isinstance(row, Family)), None)


def _hub_id(reference: Reference) -> str:
    return f"{reference.namespace}/{reference.name}"


def _uploader(reference: Reference, family: Family) -> str | None:
    """The namespace, where it is none of the vendor's."""
    vendor = vendors()[family.vendor]
    known = {one.casefold() for one in (*vendor.hf, *vendor.ms)}
    namespace = reference.namespace
    return namespace if namespace is not None and namespace.casefold() not in known else None


def _age(released: str | None, today: date) -> int | None:
    """Days; of a month or a year alone from its beginning."""
    if released is None:
        return None
    year, month, day = [*map(int, released.split("-")), 1, 1][:3]
    return max((today - date(year, month, day)).days, 0)


def _after(family: Family) -> tuple[str, ...]:
    """What replaced it; nothing has where it is current."""
    if family.status == "current":
        return ()
    return family.successors or ((family.taken_over_by,) if family.taken_over_by else ())


def _also_on(reference: Reference, named: str | None, family: Family) -> tuple[str, ...]:
    """Repositories of the same last name on the hub that was not asked, or on both."""
    tail = (reference.name if reference.hub in _OTHER else (named or "").rpartition("/")[2]).casefold()
    asked = _OTHER.get(reference.hub)
    on = {"hf": family.hf, "ms": family.ms}
    return tuple(
        f"{hub}:{hub_id}"
        for hub in ((asked,) if asked else tuple(on))
        for hub_id in on[hub]
        if hub_id.rpartition("/")[2].casefold() == tail
    )


def _named(entry: Entry) -> Named:
    return Named(id=entry.id, names=msgspec.to_builtins(entry.names))


def _terms(id: str) -> Terms:
    row = licences()[id]
    return Terms(
        id=row.id,
        names=msgspec.to_builtins(row.names),
        commercial=row.commercial,
        hosting=row.hosting,
        attribution=row.attribution,
        user_limit=row.user_limit,
    )
