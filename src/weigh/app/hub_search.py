"""`weigh search`: both hubs asked at once, the same weights in one row, each row with what the catalogue says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import zip_longest
from typing import Literal, NamedTuple

import msgspec

from weigh.app.network import Network
from weigh.app.provenance import also_on, provenance
from weigh.app.same_weights import have_same_weights
from weigh.app.search_fit import placed
from weigh.app.sync.belonging import licence_of
from weigh.core.errors import WeighError
from weigh.core.fit import Fit
from weigh.core.hardware import Device
from weigh.core.name import Name
from weigh.core.reference import Reference
from weigh.core.report import Failure, Provenance, Report
from weigh.core.schema import SCHEMA
from weigh.core.value import Value
from weigh.hubs import HUBS, SEARCHES
from weigh.hubs.hub import Site
from weigh.hubs.query import Hit, Query, Sort
from weigh.knowledge.catalog import licences
from weigh.names.decode import decode

_CLASSES = {"commercial": ("yes",), "conditional": ("yes", "conditional")}
_MOST_PAGE = 100


class Wish(Value, frozen=True, kw_only=True):
    """What narrows the answer. `licence` is a class (`commercial`, `conditional`) or a name as hubs tag it;
    `most_nbytes` and `most_parameters` bound the weights; `hashes`: rows of one last name are held against each other
    by their files.
    """

    hubs: tuple[Literal["hf", "ms"], ...] = ("hf", "ms")
    task: str | None = None
    format: str | None = None
    licence: str | None = None
    most_nbytes: int | None = None
    most_parameters: int | None = None
    sort: Sort = "downloads"
    limit: int = 20
    hashes: bool = False


class Row(Value, frozen=True, kw_only=True):
    """One model: `on` are the repositories that hold its weights, by what is known (`same_by`); `also_on` are others of
    which the catalogue says so. `parameters` are the hub's figure, else the name's."""

    on: tuple[Hit, ...]
    same_by: Literal["catalogue", "hashes"] | None = None
    also_on: tuple[str, ...] = ()
    parameters: int | None = None
    nbytes: int | None = None
    catalog: Provenance | None = None
    fit: Fit | None = None


class Found(Value, frozen=True, kw_only=True):
    """`left` were found and are larger, of another licence or format, or do not say; `ill` rows had a wrong shape."""

    rows: tuple[Row, ...]
    left: int = 0
    ill: int = 0
    failures: tuple[tuple[str, Failure], ...] = ()


class _Heard(NamedTuple):
    """What one hub said."""

    hits: tuple[Hit, ...] = ()
    left: int = 0
    ill: int = 0
    failure: Failure | None = None


def search(text: str, wish: Wish, network: Network, devices: Callable[[], Sequence[Device]], today: date) -> Found:
    """A hub that cannot be asked is a failure among the others' answers."""
    with ThreadPoolExecutor(max_workers=1 + len(wish.hubs)) as pool:
        here = pool.submit(devices)
        heard = dict(zip(wish.hubs, pool.map(lambda hub: _ask(hub, text, wish, network), wish.hubs), strict=True))
        machine = here.result()
    turns = zip_longest(*(one.hits for one in heard.values()))
    rows = _joined(hit for turn in turns for hit in turn if hit is not None)
    if wish.hashes:
        rows = _joined_by_hashes(rows, network)
    rows.sort(key=lambda row: _rank(row, wish.sort), reverse=True)
    return Found(
        rows=tuple(_told(row, machine, today) for row in rows[: wish.limit]),
        left=sum(one.left for one in heard.values()),
        ill=sum(one.ill for one in heard.values()),
        failures=tuple((hub, one.failure) for hub, one in heard.items() if one.failure is not None),
    )


def _ask(hub: str, text: str, wish: Wish, network: Network) -> _Heard:
    """Page by page until there are enough."""
    own = next(one for one in HUBS if one.id == hub)
    site = network.sites.get(hub, Site(endpoint=own.endpoint))
    licence = wish.licence if wish.licence not in _CLASSES else None
    query = Query(text=text, task=wish.task, format=wish.format, licence=licence, sort=wish.sort)
    hits, left, ill = dict[str, Hit](), 0, 0
    try:
        for page in SEARCHES[hub](_paged(query, wish), site, network.client):
            wanted = [hit for hit in page.hits if _is_wished(hit, wish)]
            left, ill = left + len(page.hits) - len(wanted), ill + page.ill
            hits |= {hit.id: hit for hit in wanted if hit.id not in hits}
            if len(hits) >= wish.limit:
                break
    except WeighError as error:
        failure = Failure(message=error.saying, path=error.path, offset=error.offset)
        return _Heard(tuple(hits.values()), left, ill, failure)
    return _Heard(tuple(hits.values())[: wish.limit], left, ill)


def _paged(query: Query, wish: Wish) -> Query:
    """As many at a time as are wanted; more where some will be left out."""
    narrow = wish.format or wish.licence or wish.most_nbytes or wish.most_parameters
    size = _MOST_PAGE if narrow else min(max(wish.limit, 10), _MOST_PAGE)
    return msgspec.structs.replace(query, page=size)


def _is_wished(hit: Hit, wish: Wish) -> bool:
    name = decode(hit.name)
    if wish.format is not None and not _is_of(hit, name, wish.format.lower()):
        return False
    if wish.licence is not None and not _allows(hit.licence, wish.licence):
        return False
    parameters = _parameters(hit, name)
    if wish.most_parameters is not None and (parameters is None or parameters > wish.most_parameters):
        return False
    return wish.most_nbytes is None or (hit.nbytes is not None and hit.nbytes <= wish.most_nbytes)


def _is_of(hit: Hit, name: Name, format: str) -> bool:
    packed = name.quant.method if name.quant is not None else None
    return format in hit.tags or format in {(name.format or "").lower(), (packed or "").lower()}


def _allows(licence: str | None, wanted: str) -> bool:
    known = licence_of(licence) if licence is not None else None
    if wanted in _CLASSES:
        return known is not None and licences()[known].commercial in _CLASSES[wanted]
    return licence is not None and (licence.lower() == wanted.lower() or known == (licence_of(wanted) or wanted))


def _parameters(hit: Hit, name: Name) -> int | None:
    if hit.parameters is not None:
        return hit.parameters
    total = name.size.total_b if name.size is not None else None
    return round(total * 1e9) if total is not None else None


def _joined(hits: Iterable[Hit]) -> list[Row]:
    """One row for repositories of which the catalogue says that they hold the same weights."""
    by_reference = {f"{hit.hub}:{hit.id}".casefold(): hit for hit in hits}
    rows, done = list[Row](), set[str]()
    for key, hit in by_reference.items():
        if key in done:
            continue
        others = also_on(_reference(hit))
        twins = [by_reference[one.casefold()] for one in others if one.casefold() in by_reference]
        done |= {key, *(f"{one.hub}:{one.id}".casefold() for one in twins)}
        absent = tuple(one for one in others if one.casefold() not in by_reference)
        rows.append(Row(on=(hit, *twins), same_by="catalogue" if twins else None, also_on=absent))
    return rows


def _joined_by_hashes(rows: list[Row], network: Network) -> list[Row]:
    """Rows of one hub each and of one last name, where every file of weights is the same."""
    alone = [row for row in rows if len(row.on) == 1]
    here = {row.on[0].name.casefold(): row for row in alone if row.on[0].hub == "hf"}
    there = [row for row in alone if row.on[0].hub == "ms" and row.on[0].name.casefold() in here]
    pairs = [(here[row.on[0].name.casefold()], row) for row in there]
    references = [(_reference(one.on[0]), _reference(other.on[0])) for one, other in pairs]
    for (one, other), is_same in zip(pairs, have_same_weights(references, network), strict=True):
        if is_same and one in rows and other in rows:
            rows[rows.index(one)] = Row(on=(*one.on, *other.on), same_by="hashes", also_on=one.also_on)
            rows.remove(other)
    return rows


def _rank(row: Row, sort: Sort) -> tuple[float | str, str]:
    """By the most that any of its repositories has; what hubs give no figure of stays as they put it."""
    match sort:
        case "likes" | "downloads":
            return max((getattr(hit, sort) or 0 for hit in row.on), default=0), ""
        case "updated" | "created":
            return 0, max((getattr(hit, sort) or "" for hit in row.on), default="")
        case _:
            return 0, ""


def _told(row: Row, machine: Sequence[Device], today: date) -> Row:
    """With what the catalogue says, and whether it runs here."""
    first = row.on[0]
    name = decode(first.name)
    report = Report(schema=SCHEMA, reference=_reference(first), name=name)
    parameters = next((hit.parameters for hit in row.on if hit.parameters is not None), None)
    return Row(
        on=row.on,
        same_by=row.same_by,
        also_on=row.also_on,
        parameters=parameters if parameters is not None else _parameters(first, name),
        nbytes=next((hit.nbytes for hit in row.on if hit.nbytes is not None), None),
        catalog=provenance(report, today),
        fit=placed(report, parameters, machine),
    )


def _reference(hit: Hit) -> Reference:
    return Reference(text=f"{hit.hub}:{hit.id}", hub=hit.hub, namespace=hit.namespace, name=hit.name)
