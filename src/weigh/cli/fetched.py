"""What a model is to look at or to listen to, from an address."""

from __future__ import annotations

import os
from importlib.metadata import version

from weigh.core.errors import SourceError


def is_address(text: str) -> bool:
    """Whether it is one of the web, and no file that is called so.

    >>> is_address("https://host/cat.png"), is_address("https: a protocol")
    (True, False)
    """
    scheme, _, rest = text.partition("://")
    is_one = scheme.lower() in ("http", "https") and bool(rest) and not any(mark.isspace() for mark in text)
    return is_one and not os.path.lexists(text)


def fetched(url: str, most: int, *, offline: bool) -> bytes:
    """Its bytes. Raises SourceError where no connection may be opened, NotFetched where nothing or too much comes."""
    if offline:
        raise SourceError("run.offline", path=url)
    from weigh.sources.client import HttpxClient, Traffic
    from weigh.sources.request import Ask, fetch

    client = HttpxClient(Traffic(), agent=f"weigh/{version('weigh')}")
    try:
        return fetch(client, Ask(url=url, path=url), most=most)[0]
    finally:
        client.close()
