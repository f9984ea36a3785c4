"""Hugging Face's own list: what each organisation has put there, when, and under which licence."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlencode, urlsplit

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
from weigh.sources.request import Ask

PAGE, MOST_PAGES = 1000, 5
_BEGINNING = "2022-03-02"  # the hub gives this day to all that is older: docs of /api/models
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')
_LICENCE = "license:"


class _Model(msgspec.Struct):
    id: str
    createdAt: str | None = None
    pipeline_tag: str | None = None
    tags: Annotated[list[str], msgspec.Meta(max_length=2000)] = []
    private: bool = False


def hear(inquiry: Inquiry) -> Heard:
    """Every organisation of the table. Raises SourceError."""
    if inquiry.network is None:
        raise SourceError("sync.offline", path="hf")
    network = inquiry.network
    site = network.sites.get("hf", Site(endpoint="https://huggingface.co"))
    return hear_hub(
        "hf",
        lambda name, vendor: _list(network.client, site, name, vendor),
        network.progress,
        place=site.endpoint,
        day=inquiry.day,
    )


def _list(client: Client, site: Site, name: str, vendor: str) -> Listed:
    """Page by page; of the address of the next one only the query is taken."""
    query = urlencode({"author": name, "limit": PAGE, "sort": "createdAt", "direction": -1})
    tally, found, seen = Tally(), list[Told](), set[str]()
    while query not in seen and len(seen) < MOST_PAGES:
        seen.add(query)
        what = Ask(url=f"{site.endpoint}/api/models?{query}", path=f"hf:{name}", access=access_of(site, "HF_TOKEN"))
        rows, answered = answer_of(client, what, list[msgspec.Raw])
        found += [_told(row, vendor) for row in tally.read(rows, _Model) if _belongs(row, name)]
        after = _NEXT.search(answered.answer.headers.get("link", ""))
        if after is None or not rows:
            return Listed(found, tally.ill)
        query = urlsplit(after[1]).query
    return Listed(found, tally.ill, whole=False)


def _belongs(row: _Model, name: str) -> bool:
    return not row.private and clean_id(row.id) is not None and row.id.lower().startswith(f"{name.lower()}/")


def _told(row: _Model, vendor: str) -> Told:
    created = clean_day(row.createdAt)
    licence = next((tag.removeprefix(_LICENCE) for tag in row.tags if tag.startswith(_LICENCE)), None)
    return Told(
        id=row.id,
        family=family_of(row.id),
        vendor=vendor,
        own=row.id in own_ids("hf"),
        kind=clean_text(row.pipeline_tag),
        released=created if created != _BEGINNING else None,
        licence=clean_text(licence),
        hf=(row.id,),
    )


PUBLISHER = Publisher("hf", hear)
