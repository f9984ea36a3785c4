"""A plain address of one file."""

from __future__ import annotations

from weigh.core.reference import Reference
from weigh.hubs.hub import Hub, Site
from weigh.sources.client import Client
from weigh.sources.http import HttpSource
from weigh.sources.refusals import NotFetched
from weigh.sources.request import Ask, origin_of


def open_file(reference: Reference, site: Site, client: Client) -> HttpSource:
    """The file at the address. Raises NotFetched."""
    return HttpSource(client, address(reference, site))


def address(reference: Reference, site: Site) -> Ask:
    """The address itself. Raises NotFetched."""
    url = str(reference).partition("#")[0]
    origin = origin_of(url)
    if not origin or "://:" in origin or any(mark.isspace() for mark in url):
        raise NotFetched("hub.address", path=url)
    return Ask(url=url, path=url.partition("?")[0])  # what is asked may be a signature


HUB = Hub(id="http", endpoint="", open=open_file, address=address)
