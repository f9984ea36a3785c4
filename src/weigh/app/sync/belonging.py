"""Which family and vendor of the table a model of somebody else's list belongs to."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.app.search import exact, family_named, plain
from weigh.knowledge.catalog import Family, Vendor, families, licences, vendors

_LICENCE_ENDS = ("licence", "license")


@functools.lru_cache(maxsize=65536)
def family_of(id: str) -> str | None:
    """By the id as the table has it, else by its last part: what it is called, or begins with."""
    for hub in ("hf", "ms"):
        if (own := own_ids(hub).get(id)) is not None:
            return own
    name = _without_sellers(id.rpartition("/")[2].partition(":")[0])
    named = next((entry for entry in exact(name) if isinstance(entry, Family)), None) or family_named(name)
    return named.id if named is not None else None


def _without_sellers(name: str) -> str:
    """Some put the region and the maker before it: us.anthropic.claude-..."""
    before, dot, after = name.partition(".")
    while dot and after and before.isalpha():
        name = after
        before, dot, after = name.partition(".")
    return name


@functools.cache
def own_ids(hub: str) -> Mapping[str, str]:
    """Families by the ids that the table gives them on `hf` or `ms`."""
    return {id: row.id for row in families().values() for id in (row.hf if hub == "hf" else row.ms)}


def vendor_of(name: str) -> str | None:
    """The vendor that is called so, or has an organisation of this name on a hub."""
    return next((entry.id for entry in exact(name) if isinstance(entry, Vendor)), None)


def organisations(hub: str) -> Mapping[str, str]:
    """On `hf` or `ms`: the organisations of the table with their vendors."""
    rows = vendors().values()
    return {name: row.id for row in rows for name in (row.hf if hub == "hf" else row.ms)}


@functools.lru_cache(maxsize=4096)
def licence_of(text: str) -> str | None:
    """The table's licence that a hub calls so."""
    return _licences().get(_stem(text))


@functools.cache
def _licences() -> Mapping[str, str]:
    return {_stem(name): row.id for row in licences().values() for name in (row.names.zh, row.names.en, row.id)}


def _stem(text: str) -> str:
    stem = plain(text[:200])
    for end in _LICENCE_ENDS:
        stem = stem.removesuffix(end)
    return stem
