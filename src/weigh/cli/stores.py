"""Where the user's environment says that models are kept, for each program that keeps some."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from weigh.app.stores import Stores
from weigh.store.layouts import LAYOUTS

_VARIABLE = re.compile(r"\$(\w+)")
HOME = ("$WEIGH_HOME", "$XDG_CACHE_HOME/weigh", "~/.cache/weigh")


def stores() -> Stores:
    """The roots of every layout, and our own folder."""
    return Stores(roots={layout.id: first_of(layout.roots) for layout in LAYOUTS}, home=first_of(HOME))


def first_of(places: Iterable[str]) -> str:
    """The first whose variables are set."""
    return next(filter(None, map(_path_of, places)), None) or os.getcwd()


def all_of(groups: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Of each group the first whose variables are set."""
    found = (next(filter(None, map(_path_of, places)), None) for places in groups)
    return tuple(dict.fromkeys(path for path in found if path is not None))


def _path_of(place: str) -> str | None:
    """None where one of its variables is not set."""
    if any(not os.environ.get(name) for name in _VARIABLE.findall(place)):
        return None
    path = os.path.expanduser(os.path.expandvars(place))
    return os.path.abspath(path) if path else None
