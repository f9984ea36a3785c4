"""ModelScope's own list: what each organisation has put there, when, and under which licence."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec

from weigh.app.sync.belonging import family_of, own_ids
from weigh.app.sync.inquiry import Inquiry, Publisher
from weigh.app.sync.organisations import Listed, access_of, hear_hub
from weigh.app.sync.rows import Tally
from weigh.core.errors import SourceError
from weigh.hubs.hub import Site
from weigh.hubs.repository import answer_of
from weigh.knowledge.synced import Heard, Told, clean_day, clean_id, clean_text
from weigh.sources.client import Client
from weigh.sources.refusals import NotFetched
from weigh.sources.request import Ask

PAGE, MOST_PAGES = 50, 60  # the server gives no page beyond 3000 models


class _Model(msgspec.Struct):
    id: str
    display_name: str | None = None
    created_at: str | None = None
    license: str | None = None
    tasks: list[str] | None = None


class _Models(msgspec.Struct):
    models: list[msgspec.Raw] | None = None
    total_count: int | None = None


class _Answer(msgspec.Struct):
    success: bool | None = None
    message: str | None = None
    data: _Models | None = None


def hear(inquiry: Inquiry) -> Heard:
    """Every organisation of the table. Raises SourceError."""
    if inquiry.network is None:
        raise SourceError("sync.offline", path="ms")
    network = inquiry.network
    site = network.sites.get("ms", Site(endpoint="https://www.modelscope.cn"))
    return hear_hub(
        "ms",
        lambda name, vendor: _list(network.client, site, name, vendor),
        network.progress,
        place=site.endpoint,
        day=inquiry.day,
    )


def _list(client: Client, site: Site, name: str, vendor: str) -> Listed:
    """Page by page, until one is not full."""
    tally, found = Tally(), list[Told]()
    for number in range(1, MOST_PAGES + 1):
        rows, total = _page(client, site, name, number)
        found += [_told(row, vendor) for row in tally.read(rows, _Model) if _belongs(row, name)]
        if len(rows) < PAGE or (total is not None and number * PAGE >= total):
            return Listed(found, tally.ill)
    return Listed(found, tally.ill, whole=False)


def _page(client: Client, site: Site, name: str, number: int) -> tuple[list[msgspec.Raw], int | None]:
    query = urlencode({"owner": name, "page_number": number, "page_size": PAGE})
    what = Ask(
        url=f"{site.endpoint}/openapi/v1/models?{query}",
        path=f"ms:{name}",
        access=access_of(site, "MODELSCOPE_API_TOKEN"),
    )
    said = answer_of(client, what, _Answer)[0]
    if said.success is False or said.data is None:
        raise NotFetched("hub.says", path=what.path, reason=said.message or "-")
    return said.data.models or [], said.data.total_count


def _belongs(row: _Model, name: str) -> bool:
    return clean_id(row.id) is not None and row.id.lower().startswith(f"{name.lower()}/")


def _told(row: _Model, vendor: str) -> Told:
    return Told(
        id=row.id,
        family=family_of(row.id),
        vendor=vendor,
        own=row.id in own_ids("ms"),
        name=clean_text(row.display_name),
        kind=clean_text(row.tasks[0]) if row.tasks else None,
        released=clean_day(row.created_at),
        licence=clean_text(row.license),
        ms=(row.id,),
    )


PUBLISHER = Publisher("ms", hear)
