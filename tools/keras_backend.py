"""Which library computes for Keras here: it is chosen once in a process, before Keras is imported."""

from __future__ import annotations

import importlib.util
import os

BACKENDS = ("tensorflow", "jax", "torch")


def choose() -> None:
    """The first that is here, unless the environment names one."""
    here = next((name for name in BACKENDS if importlib.util.find_spec(name) is not None), BACKENDS[0])
    os.environ.setdefault("KERAS_BACKEND", here)
