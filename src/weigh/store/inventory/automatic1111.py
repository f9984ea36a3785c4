"""The models and embeddings folders of the Stable Diffusion web UI, A1111's and Forge's."""

from __future__ import annotations

import os
from collections.abc import Iterator

from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import models_below


def walk(root: str) -> Iterator[Item]:
    """Both folders."""
    for folder in ("models", "embeddings"):
        yield from models_below(os.path.join(root, folder))


STORE = Store(id="a1111", places=(("~/stable-diffusion-webui",), ("~/stable-diffusion-webui-forge",)), walk=walk)
