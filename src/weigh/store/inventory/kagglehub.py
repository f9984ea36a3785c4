"""kagglehub's cache: `models/owner/model/framework/variation/version`, a marker for each version that is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator

from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import files_below, role_of

_LEVELS = 5
_DONE = ".complete"  # a folder beside the model's with `<version>.complete`


def walk(root: str) -> Iterator[Item]:
    """The files of each version."""
    for seen in files_below(os.path.join(root, "models")):
        parts = seen.name.split("/")
        if len(parts) > _LEVELS and not parts[-1].endswith(_DONE):
            owner, model, framework, variation, version = parts[:_LEVELS]
            name = "/".join(parts[_LEVELS:])
            whole = f"{owner}/{model}/{framework}/{variation}"
            yield Item(seen.path, whole, name, seen.status, role_of(name), revision=version)
        elif parts[-1].endswith(".archive"):
            yield Item(seen.path, "/".join(parts[:-1]), parts[-1], seen.status, "partial")


STORE = Store(id="kagglehub", places=(("$KAGGLEHUB_CACHE", "~/.cache/kagglehub"),), walk=walk)
