"""Where models lie on the network: one file a hub, asked for lists and for parts of files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from weigh.core.reference import Reference
from weigh.hubs import huggingface, huggingface_search, modelscope, modelscope_search, url
from weigh.hubs.hub import Hub, Place, Site
from weigh.hubs.query import Page, Query
from weigh.sources.client import Client
from weigh.sources.request import origin_of

HUBS: tuple[Hub, ...] = (huggingface.HUB, modelscope.HUB)
SEARCHES: Mapping[str, Callable[[Query, Site, Client], Iterator[Page]]] = {
    "hf": huggingface_search.search,
    "ms": modelscope_search.search,
}


def locate(reference: Reference, sites: Mapping[str, Site]) -> Place | None:
    """Who has it: a hub by its prefix or by the address of one of its pages, else the address itself.

    `sites` are by the hubs' ids. None for what no hub here answers to.
    """
    for hub in HUBS:
        if reference.hub == hub.id:
            return Place(reference, hub, sites.get(hub.id, Site(endpoint=hub.endpoint)))
    if reference.hub not in ("http", "https"):
        return None
    for hub in HUBS:
        if (found := _on(hub, reference, sites.get(hub.id, Site(endpoint=hub.endpoint)))) is not None:
            return found
    return Place(reference, url.HUB, Site(endpoint=""))


def _on(hub: Hub, reference: Reference, site: Site) -> Place | None:
    """A page of the hub at its own address, or where the user says it is; of a mirror, which sees no token."""
    origin = origin_of(str(reference))
    parts = urlsplit(str(reference)) if origin else None
    if parts is None or (named := hub.of_page(parts.path)) is None:
        return None
    host = (parts.hostname or "").lower()
    if host in hub.mirrors and origin != origin_of(site.endpoint):
        site = Site(endpoint=f"{parts.scheme}://{parts.netloc}")
    elif host not in hub.hosts and origin != origin_of(site.endpoint):
        return None
    return Place(
        Reference(
            text=reference.text,
            hub=hub.id,
            namespace=named.get("namespace"),
            name=named.get("name") or "",
            revision=named.get("revision"),
            file=named.get("file"),
        ),
        hub,
        site,
    )
