"""LM Studio: `publisher/model/file`, which users edit and link by hand."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import files_below, role_of, single


def walk(root: str) -> Iterator[Item]:
    """The files of each model; those that lie outside of one are one each."""
    for seen in files_below(root):
        publisher, _, rest = seen.name.partition("/")
        model, _, name = rest.partition("/")
        if not name:
            yield single(seen)
        else:
            yield Item(seen.path, f"{publisher}/{model}", name, seen.status, role_of(name))


STORE = Store(id="lm-studio", places=(("~/.lmstudio/models",), ("~/.cache/lm-studio/models",)), walk=walk)
