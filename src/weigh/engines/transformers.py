"""Models of the transformers library: each kind of work by a module of its own."""

from __future__ import annotations

import importlib

from weigh.core.engine import Candidate, Engine, Launch, Loaded
from weigh.core.work import Work

# The first of a model's works decides how it is loaded.
_PLACES: dict[Work, str] = {
    "chat": "weigh.engines.transformers_text",
    "complete": "weigh.engines.transformers_text",
}
FORMATS = ("huggingface",)


def load(launch: Launch) -> Loaded:
    """In the child. Raises Failed."""
    module = importlib.import_module(_PLACES[launch.works[0]])
    loaded: Loaded = module.load(launch)
    return loaded


def _works(candidate: Candidate) -> tuple[Work, ...]:
    if candidate.format not in FORMATS:
        return ()
    return tuple(work for work in candidate.works if work in _PLACES)


ENGINE = Engine(
    name="transformers",
    extra="torch",
    needs=("torch", "transformers"),
    reach="child",
    module="weigh.engines.transformers",
    works=_works,
)
