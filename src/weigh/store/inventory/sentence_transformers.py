"""sentence-transformers' own folder: the one its variable names, and the one of its older versions."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.store.inventory.hub_cache import repositories
from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import files_below, folders_in, role_of


def walk(root: str) -> Iterator[Item]:
    """Repositories as in Hugging Face's cache, and the older folders called `org_name`."""
    yield from repositories(root)
    for folder in folders_in(root):
        if not folder.name.startswith(("models--", ".")) and folder.name != "blobs":
            for seen in files_below(folder.path):
                yield Item(seen.path, folder.name.replace("_", "/", 1), seen.name, seen.status, role_of(seen.name))


STORE = Store(
    id="sentence-transformers",
    places=(
        ("$SENTENCE_TRANSFORMERS_HOME",),
        (
            "$TORCH_HOME/sentence_transformers",
            "$XDG_CACHE_HOME/torch/sentence_transformers",
            "~/.cache/torch/sentence_transformers",
        ),
    ),
    walk=walk,
)
