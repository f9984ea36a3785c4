"""What the use cases need to reach models on the network; without one, no connection is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from weigh.core.value import Value
from weigh.hubs.hub import Site
from weigh.sources.client import Client


class Network(Value, frozen=True, kw_only=True):
    """`sites` are by the hubs' ids; `progress` is told how many files of how many are done, from any thread."""

    client: Client
    sites: Mapping[str, Site] = {}
    progress: Callable[[int, int], None] = lambda done, count: None
