"""llama.cpp's own cache: flat files in the older one; the newer one is laid out as Hugging Face's."""

from __future__ import annotations

import os
from collections.abc import Iterator

from weigh.store.inventory.hub_cache import repositories
from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import files_in, single

_NOTES = (".json", ".etag")  # beside each file: where it is from


def walk(root: str) -> Iterator[Item]:
    """Files that are called `org_name_file.gguf`, then repositories."""
    names = {seen.name for seen in files_in(root)}
    for seen in files_in(root):
        if seen.name.endswith(_NOTES):
            continue
        item = single(seen)
        whole = seen.name.removesuffix(".downloadInProgress")
        if item.role == "partial" and whole != seen.name and whole in names:
            item = item._replace(role="orphan", why="whole-is-there")
        yield item
    yield from repositories(os.path.realpath(root))


STORE = Store(
    id="llama.cpp",
    places=(
        ("$LLAMA_CACHE",),
        ("$XDG_CACHE_HOME/llama.cpp", "~/.cache/llama.cpp"),
        ("~/Library/Caches/llama.cpp",),
        ("$LOCALAPPDATA/llama.cpp",),
    ),
    walk=walk,
)
