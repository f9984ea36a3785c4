"""A reference brought to this machine before it is run: found in a cache, else pulled once somebody agrees."""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

import click

from weigh.cli.fetched import is_address
from weigh.core.errors import BadReference, SourceError
from weigh.core.units import in_bytes
from weigh.text import Language, safe, say

if TYPE_CHECKING:
    from weigh.store.plan import Plan


class Wanted(NamedTuple):
    """How far one may go: whether a connection may be opened, whether it was agreed beforehand, and what is shown."""

    language: Language
    offline: bool
    yes: bool
    quiet: bool


class Brought(NamedTuple):
    """What a model is called, and the path that can be opened."""

    text: str
    path: str


def bring(text: str, wanted: Wanted) -> Brought:
    """Raises BadReference, SourceError: what is not here and may not be fetched, or was held on its arrival."""
    from weigh.app.here import here
    from weigh.cli.stores import first_of, stores

    roots, ollama = stores(), first_of(OLLAMA)
    found = here(text, roots, ollama)
    if found.path is not None:
        return Brought(text if found.meant is None else found.meant, found.path)
    if is_address(text):
        return _from_address(text, wanted, os.path.join(roots.home, ADDRESSES))
    if found.meant is None:
        return _unknown(text)
    if found.meant.startswith("ollama:"):
        raise SourceError("here.ollama", path=text, name=found.meant.removeprefix("ollama:"))
    if wanted.offline:
        raise SourceError("here.offline", path=text, meant=found.meant)
    folder = _pulled(text, found.meant, wanted)
    again = here(found.meant, roots, ollama).path
    return Brought(found.meant, again or folder)


def _unknown(text: str) -> Brought:
    """As typed, for whoever opens it to say what is wrong."""
    if os.path.isabs(text) or text.startswith("."):
        return Brought(text, text)
    raise BadReference("here.unknown", text=text)


def _from_address(text: str, wanted: Wanted, kept: str) -> Brought:
    """A file at an address: pulled once into a folder of its own, found there later."""
    folder = os.path.join(kept, sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32])
    path = os.path.join(folder, os.path.basename(unquote(urlsplit(text).path)))
    if not os.path.isfile(path):
        if wanted.offline:
            raise SourceError("here.offline", path=text, meant=text)
        _pulled(text, text, wanted, folder)
    return Brought(text, path)


def _pulled(text: str, meant: str, wanted: Wanted, folder: str | None = None) -> str:
    """Asked first, of who sits there; where nobody does, only what was agreed beforehand."""
    from weigh.app.pull import pull
    from weigh.app.pull_plan import Asked
    from weigh.cli.pull import gate_of, planned, ways_of
    from weigh.cli.pull_screen import Screen
    from weigh.cli.stores import stores

    sits = sys.stdin.isatty() and sys.stderr.isatty()
    if not wanted.yes and not sits:
        raise SourceError("here.not_agreed", path=text, meant=meant)
    if not wanted.yes and not meant.startswith(text) and not _agrees("here.meant", wanted, meant=meant):
        raise SourceError("here.not_agreed", path=text, meant=meant)
    ways, roots = ways_of(4, None, offline=False), stores()
    try:
        plan = planned(Asked(reference=meant, folder=folder), None, ways.client, roots)
        if plan.to_fetch and not wanted.yes and not _agrees("here.ask", wanted, **_about(plan, meant)):
            raise SourceError("here.not_agreed", path=text, meant=meant)
        screen = Screen(plan, wanted.language, shown=not wanted.quiet and sys.stderr.isatty())
        try:
            outcome = pull(plan, roots, gate_of(None, (), is_open=False), ways, screen.watch)
        finally:
            screen.close()
    finally:
        if ways.client is not None:
            ways.client.close()
    if outcome.status != "released":
        raise SourceError("here.held", path=text, folder=outcome.folder)
    return outcome.folder


def _about(plan: Plan, meant: str) -> dict[str, str | int]:
    nbytes = in_bytes(plan.to_fetch)
    return {"meant": meant, "nbytes": nbytes, "count": len(plan.missing), "folder": plan.destination}


def _agrees(key: str, wanted: Wanted, **holes: str | int) -> bool:
    return click.confirm(safe(say(key, wanted.language, **holes), longest=1000), default=True, err=True)


ADDRESSES = "addresses"
OLLAMA = ("$OLLAMA_MODELS", "~/.ollama/models")
