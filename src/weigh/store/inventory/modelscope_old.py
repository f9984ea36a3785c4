"""The cache of modelscope up to 1.37: a folder a model, with the client's own notes beside the files."""

from __future__ import annotations

import os
from collections.abc import Iterator

from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import files_below, folders_in, role_of

# .msc is a pickle of what was fetched: it is not opened.
_NOTES = frozenset({".msc", ".mdl", ".mv"})
_UNFINISHED = "._____temp"
_OTHERS = frozenset({"models", "datasets", "hub"})  # beside namespaces in the oldest layout, or above them


def walk(root: str) -> Iterator[Item]:
    """`models/namespace/name` and, as the oldest had it, `namespace/name`; a dot is written `___` there."""
    homes = [os.path.join(root, "models")] if os.path.isdir(os.path.join(root, "models")) else []
    for home in [*homes, root]:
        for namespace in folders_in(home):
            if namespace.name not in _OTHERS and "--" not in namespace.name and not namespace.name.startswith("."):
                for folder in folders_in(namespace.path):
                    yield from _model(folder.path, namespace.name, folder.name)
        yield from _unfinished(os.path.join(home, _UNFINISHED))


def _model(path: str, namespace: str, name: str) -> Iterator[Item]:
    model = f"{namespace}/{name.replace('___', '.')}"
    for seen in files_below(path):
        if seen.name not in _NOTES and not seen.name.startswith(f"{_UNFINISHED}/"):
            yield Item(seen.path, model, seen.name, seen.status, role_of(seen.name))


def _unfinished(path: str) -> Iterator[Item]:
    """What the next try goes on with."""
    for seen in files_below(path):
        namespace, _, rest = seen.name.partition("/")
        name, _, file = rest.partition("/")
        if file and file not in _NOTES:
            yield Item(seen.path, f"{namespace}/{name.replace('___', '.')}", file, seen.status, "partial")


STORE = Store(
    id="ms-old", places=(("$MODELSCOPE_CACHE/hub", "~/.cache/modelscope/hub"), ("$MODELSCOPE_CACHE",)), walk=walk
)
