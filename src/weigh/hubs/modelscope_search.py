"""ModelScope's list of models, searched page by page; licences and formats are told from what it says of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlencode

import msgspec

from weigh.hubs.hub import Site
from weigh.hubs.query import MOST_PAGES, Hit, Page, Query, count, named, rows_of, short
from weigh.hubs.repository import answer_of
from weigh.sources.client import Client
from weigh.sources.refusals import NotFetched
from weigh.sources.request import Access, Ask, origin_of

MOST_REACHED = 3000  # the server gives nothing beyond
MOST_PAGE = 50
_SORTS = {"downloads": "downloads", "likes": "likes", "updated": "last_modified", "created": "created_at"}


class _Model(msgspec.Struct):
    id: str
    downloads: int | None = None
    likes: int | None = None
    created_at: str | None = None
    last_modified: str | None = None
    license: str | None = None
    gated: bool | str | None = None
    tasks: list[str] | None = None
    tags: Annotated[list[str], msgspec.Meta(max_length=2000)] | None = None
    file_size: int | None = None


class _Models(msgspec.Struct):
    models: list[msgspec.Raw] | None = None
    total_count: int | None = None


class _Answer(msgspec.Struct):
    success: bool | None = None
    message: str | None = None
    data: _Models | None = None


def search(query: Query, site: Site, client: Client) -> Iterator[Page]:
    """Until a page is not full. Raises NotFetched."""
    size = min(query.page, MOST_PAGE)
    for number in range(1, min(MOST_PAGES, MOST_REACHED // size) + 1):
        said = _asked(query, site, client, number)
        rows = said.models or []
        models, ill = rows_of(rows, _Model)
        hits = [_hit(model) for model in models]
        yield Page(tuple(hit for hit in hits if hit is not None), ill + hits.count(None))
        if len(rows) < size or (said.total_count is not None and number * size >= said.total_count):
            return


def _asked(query: Query, site: Site, client: Client, number: int) -> _Models:
    words = {
        "search": query.text,
        "sort": _SORTS.get(query.sort),
        "page_number": number,
        "page_size": min(query.page, MOST_PAGE),
        "filter.task": query.task,
    }
    text = urlencode({key: value for key, value in words.items() if value is not None})
    headers = {"authorization": f"Bearer {site.token}"} if site.token else {}
    access = Access(origin=origin_of(site.endpoint), headers=headers, variable="MODELSCOPE_API_TOKEN")
    what = Ask(url=f"{site.endpoint}/openapi/v1/models?{text}", path="ms", access=access)
    said = answer_of(client, what, _Answer)[0]
    if said.success is False or said.data is None:
        raise NotFetched("hub.says", path=what.path, reason=said.message or "-")
    return said.data


def _hit(model: _Model) -> Hit | None:
    if (found := named(model.id, "ms")) is None or found[0] is None:
        return None
    return Hit(
        hub="ms",
        namespace=found[0],
        name=found[1],
        downloads=count(model.downloads),
        likes=count(model.likes),
        created=short(model.created_at),
        updated=short(model.last_modified),
        task=short(model.tasks[0]) if model.tasks else None,
        licence=short(model.license),
        gated=None if model.gated is None else model.gated not in (False, "", "false"),
        nbytes=count(model.file_size),
        tags=tuple(tag[:100].lower() for tag in model.tags or ()),
    )
