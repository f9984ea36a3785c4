"""Models of the transformers library: each kind of work by a module of its own."""

from __future__ import annotations

import importlib

from weigh.core.engine import Candidate, Engine, Launch, Loaded
from weigh.core.work import Work
from weigh.engines import transformers_pictured as pictured

_TEXT = "weigh.engines.transformers_text"
# The first of a model's works decides how it is loaded.
_PLACES: dict[Work, str] = {
    "chat": _TEXT,
    "classify": "weigh.engines.transformers_seen",
    "complete": _TEXT,
    "depth": "weigh.engines.transformers_seen",
    "detect": "weigh.engines.transformers_seen",
    "embed": "weigh.engines.transformers_seen",  # of texts and pictures alike; of texts alone by sentence-transformers
    "sound": "weigh.engines.transformers_heard",
    "speak": "weigh.engines.transformers_heard",
    "transcribe": "weigh.engines.transformers_heard",
}
FORMATS = ("huggingface",)


def load(launch: Launch) -> Loaded:
    """In the child. Raises Failed."""
    place = _PLACES[launch.works[0]]
    if place == _TEXT and pictured.takes(launch):
        return pictured.load(launch)
    loaded: Loaded = importlib.import_module(place).load(launch)
    return loaded


def _works(candidate: Candidate) -> tuple[Work, ...]:
    if candidate.format not in FORMATS:
        return ()
    works = tuple(work for work in candidate.works if work in _PLACES)
    return () if works == ("embed",) else works


ENGINE = Engine(
    name="transformers",
    extra="torch",
    needs=("torch", "transformers"),
    reach="child",
    module="weigh.engines.transformers",
    works=_works,
)
