"""A folder that the user names, with whatever lies in it."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.store.inventory.hub_cache import repositories
from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import models_below

# What `hf download --local-dir` leaves of a run that broke off: no later one takes it up.
_LOCAL = ".cache/huggingface/download/"


def walk(root: str) -> Iterator[Item]:
    """Repositories of a Hugging Face cache as such, all else by folders with a configuration and single files."""
    yield from repositories(root)
    for item in models_below(root):
        below = item.path[len(root) :].replace("\\", "/")
        if below.startswith(("/models--", "/blobs/", "/.locks/")):
            continue
        if _LOCAL in below:
            if below.endswith(".incomplete"):
                yield item._replace(role="orphan", why="never-resumed")
        else:
            yield item


STORE = Store(id="folder", places=(), walk=walk)
