"""models.dev: what providers offer, by provider and id, with dates, limits and whether the weights are open."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from weigh.app.sync.belonging import family_of, vendor_of
from weigh.app.sync.inquiry import Inquiry, Publisher
from weigh.app.sync.rows import Tally
from weigh.core.errors import SourceError
from weigh.hubs.repository import answer_of
from weigh.knowledge.synced import Heard, Told, clean_day, clean_id, clean_text, clean_tokens
from weigh.sources.request import Ask

ADDRESS = "https://models.dev"


class _Limit(msgspec.Struct):
    context: float | None = None


class _Model(msgspec.Struct):
    id: str
    name: str | None = None
    release_date: str | None = None
    open_weights: bool | None = None
    limit: _Limit | None = None


class _Provider(msgspec.Struct):
    id: str
    name: str
    models: dict[str, msgspec.Raw] = {}


def hear(inquiry: Inquiry) -> Heard:
    """What vendors offer themselves, and what others offer of families of the table. Raises SourceError."""
    if inquiry.network is None:
        raise SourceError("sync.offline", path="models.dev")
    place = inquiry.addresses.get("models.dev", ADDRESS)
    what = Ask(url=f"{place}/api.json", path="models.dev")
    providers = answer_of(inquiry.network.client, what, dict[str, msgspec.Raw])[0]
    tally = Tally()
    found: dict[str, Told] = {}
    for provider in tally.read(providers.values(), _Provider):
        for row in _offered(provider, tally.read(provider.models.values(), _Model)):
            found.setdefault(row.id, row)
    models = tuple(found[id] for id in sorted(found))
    return Heard(source="models.dev", day=inquiry.day, place=place, models=models, ill=tally.ill)


def _offered(provider: _Provider, rows: Iterable[_Model]) -> Iterable[Told]:
    vendor = vendor_of(provider.id) or vendor_of(provider.name)
    for row in rows:
        id = clean_id(f"{provider.id}/{row.id}")
        family = family_of(row.id)
        if id is not None and (vendor is not None or family is not None):
            yield Told(
                id=id,
                family=family,
                vendor=vendor,
                name=clean_text(row.name),
                released=clean_day(row.release_date),
                context_length=clean_tokens(row.limit.context) if row.limit is not None else None,
                weights=None if row.open_weights is None else "open" if row.open_weights else "closed",
            )


PUBLISHER = Publisher("models.dev", hear)
