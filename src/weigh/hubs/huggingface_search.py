"""Hugging Face's list of models, searched page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated
from urllib.parse import urlencode, urlsplit

import msgspec

from weigh.hubs.hub import Site
from weigh.hubs.query import MOST_PAGES, Hit, Page, Query, count, named, rows_of, short
from weigh.hubs.repository import answer_of
from weigh.knowledge.dtypes import dtype_aliases, dtypes
from weigh.sources.client import Client
from weigh.sources.request import Access, Ask, origin_of

_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')
_LICENCE = "license:"
_SORTS = {"trending": "trendingScore", "updated": "lastModified", "created": "createdAt"}
_FIELDS = (
    "createdAt",
    "downloads",
    "gated",
    "gguf",
    "lastModified",
    "likes",
    "pipeline_tag",
    "private",
    "safetensors",
    "tags",
)


class _Safetensors(msgspec.Struct):
    parameters: dict[str, int] = {}
    total: int | None = None


class _Gguf(msgspec.Struct):
    total: int | None = None


class _Model(msgspec.Struct):
    id: str
    downloads: int | None = None
    likes: int | None = None
    createdAt: str | None = None
    lastModified: str | None = None
    pipeline_tag: str | None = None
    gated: bool | str | None = None
    safetensors: _Safetensors | None = None
    gguf: _Gguf | None = None
    tags: Annotated[list[str], msgspec.Meta(max_length=2000)] = []


def search(query: Query, site: Site, client: Client) -> Iterator[Page]:
    """Of the address of the next page only the query is taken. Raises NotFetched."""
    asked, seen = _asked(query), set[str]()
    access = Access(origin=origin_of(site.endpoint), headers=_secret(site), variable="HF_TOKEN")
    while asked not in seen and len(seen) < MOST_PAGES:
        seen.add(asked)
        what = Ask(url=f"{site.endpoint}/api/models?{asked}", path="hf", access=access)
        rows, answered = answer_of(client, what, list[msgspec.Raw])
        models, ill = rows_of(rows, _Model)
        hits = [_hit(model) for model in models]
        yield Page(tuple(hit for hit in hits if hit is not None), ill + hits.count(None))
        after = _NEXT.search(answered.answer.headers.get("link", ""))
        if after is None or not rows:
            return
        asked = urlsplit(after[1]).query


def _asked(query: Query) -> str:
    filters = [query.format, f"{_LICENCE}{query.licence}" if query.licence else None]
    words: list[tuple[str, str | int]] = [("search", query.text), ("sort", _SORTS.get(query.sort, query.sort))]
    words += [("limit", query.page), *(("filter", one) for one in filters if one is not None)]
    words += [("pipeline_tag", query.task)] if query.task is not None else []
    return urlencode([*words, *(("expand", field) for field in _FIELDS)])


def _secret(site: Site) -> Mapping[str, str]:
    return {"authorization": f"Bearer {site.token}"} if site.token else {}


def _hit(model: _Model) -> Hit | None:
    if (found := named(model.id, "hf")) is None:
        return None
    tags = tuple(tag[:100].lower() for tag in model.tags)
    held = model.safetensors or _Safetensors()
    return Hit(
        hub="hf",
        namespace=found[0],
        name=found[1],
        downloads=count(model.downloads),
        likes=count(model.likes),
        created=short(model.createdAt),
        updated=short(model.lastModified),
        task=short(model.pipeline_tag),
        licence=next((tag.removeprefix(_LICENCE) for tag in tags if tag.startswith(_LICENCE)), None),
        gated=None if model.gated is None else model.gated is not False,
        parameters=count(held.total or (model.gguf.total if model.gguf is not None else None)),
        nbytes=_nbytes(held.parameters),
        tags=tags,
    )


def _nbytes(parameters: Mapping[str, int]) -> int | None:
    """Of so many elements of each type; None where one is of a type that is not known."""
    table, sums = dtypes(), 0
    for name, number in parameters.items():
        row = table.get(dtype_aliases().get(name, name))
        if row is None or number < 0:
            return None
        sums += row.nbytes(number)
    return count(sums) or None
