"""Keras' folder of pretrained weights: files side by side."""

from __future__ import annotations

import os
from collections.abc import Iterator

from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import models_below


def walk(root: str) -> Iterator[Item]:
    """What `keras.applications` and `get_file` fetched as models."""
    return models_below(os.path.join(root, "models"))


STORE = Store(id="keras", places=(("$KERAS_HOME", "~/.keras"),), walk=walk)
