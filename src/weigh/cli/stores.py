"""Where the user's environment says that models are kept, for each program that keeps some."""

from __future__ import annotations

import os
from collections.abc import Iterable

from weigh.app.stores import Stores
from weigh.store.layouts import LAYOUTS

HOME = ("$WEIGH_HOME", "$XDG_CACHE_HOME/weigh", "~/.cache/weigh")


def stores() -> Stores:
    """The roots of every layout, and our own folder."""
    return Stores(roots={layout.id: first_of(layout.roots) for layout in LAYOUTS}, home=first_of(HOME))


def first_of(places: Iterable[str]) -> str:
    """The first whose variables are set."""
    for place in places:
        path = os.path.expanduser(os.path.expandvars(place))
        if "$" not in path and path:
            return os.path.abspath(path)
    return os.getcwd()
