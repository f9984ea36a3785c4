"""openai-whisper's cache: one file a model, which the package overwrites where its hash is wrong."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import files_in, single


def walk(root: str) -> Iterator[Item]:
    """Each `.pt` by itself."""
    return (single(seen) for seen in files_in(root))


STORE = Store(id="whisper", places=(("$XDG_CACHE_HOME/whisper", "~/.cache/whisper"),), walk=walk)
