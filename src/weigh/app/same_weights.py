"""Whether repositories on two hubs hold the same weights, by the hashes that both list."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from weigh.app.network import Network
from weigh.core.reference import Reference
from weigh.hubs import locate
from weigh.knowledge.weight_files import kind_of
from weigh.sources.refusals import NotFetched

AT_ONCE = 6
MOST_PAIRS = 10


def have_same_weights(pairs: Sequence[tuple[Reference, Reference]], network: Network) -> list[bool]:
    """Of each pair; False also where a hub does not give the list. Pairs beyond MOST_PAIRS are not asked after."""
    asked = pairs[:MOST_PAIRS]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        lists = list(pool.map(lambda one: _weights(one, network), [one for pair in asked for one in pair]))
    same = [bool(one) and one == other for one, other in zip(lists[::2], lists[1::2], strict=True)]
    return [*same, *[False] * (len(pairs) - len(asked))]


def _weights(reference: Reference, network: Network) -> dict[str, str] | None:
    """Files of weights by their paths; None where one has no hash or the list cannot be had."""
    place = locate(reference, network.sites)
    if place is None or place.hub.list is None:
        return None
    try:
        repository = place.hub.list(reference, place.site, network.client)
    except NotFetched:
        return None
    found = {path: file.sha256 for path, file in repository.files.items() if kind_of(path) is not None}
    hashes = {path: sha256 for path, sha256 in found.items() if sha256 is not None}
    return hashes if len(hashes) == len(found) else None
