"""The network as the user's environment has it: endpoints, tokens, proxies; how far it is, on standard error."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from weigh.app.network import Network
from weigh.codecs.cookie_jar import MOST, cookie_of
from weigh.hubs import HUBS
from weigh.hubs.hub import Hub, Site
from weigh.sources.client import HttpxClient, Traffic
from weigh.text import Language, say

if TYPE_CHECKING:
    from rich.progress import Progress

SHOWN_AFTER = 1.0  # seconds


@contextmanager
def network(language: Language, *, shown: bool) -> Iterator[tuple[Network, Traffic]]:
    """A network, and what was fetched over it so far; closed at the end."""
    screen = _Screen(language, shown=shown and sys.stderr.isatty())
    traffic = Traffic(screen.draw)
    screen.traffic = traffic
    client = HttpxClient(traffic, agent=f"weigh/{version('weigh')}")
    try:
        sites: dict[str, Site] = {hub.id: site_of(hub) for hub in HUBS}
        yield Network(client=client, sites=sites, progress=screen.files), traffic
    finally:
        client.close()
        screen.close()


def site_of(hub: Hub) -> Site:
    """Where the environment says this hub answers, and the token that its stock client would use."""
    endpoint = next((value for name in hub.endpoint_variables if (value := os.environ.get(name))), hub.endpoint)
    if "://" not in endpoint:
        endpoint = f"https://{endpoint}"
    return Site(endpoint=endpoint.rstrip("/"), token=_token(hub) or _cookie(hub, endpoint))


def _token(hub: Hub) -> str | None:
    for name in hub.token_variables:
        if (value := os.environ.get(name, "").strip()) and value.isascii() and value.isprintable():
            return value
    for name in hub.token_files:
        path = os.path.expanduser(os.path.expandvars(name))
        if "$" in path:
            continue
        try:
            with open(path, encoding="ascii") as file:
                value = file.read(1000).strip()
        except (OSError, ValueError):
            continue
        if value.isprintable() and value:
            return value
    return None


def _cookie(hub: Hub, endpoint: str) -> str | None:
    """The token that the stock client keeps as a cookie, for the host that gave it alone."""
    host = (urlsplit(endpoint).hostname or "").lower()
    for name in hub.token_jars if hub.token_cookie is not None else ():
        path = os.path.expanduser(os.path.expandvars(name))
        try:
            with open(path, "rb") as file:
                found = cookie_of(file.read(MOST), hub.token_cookie or "")
        except OSError:
            continue
        if found is not None and found[0].isascii() and found[0].isprintable() and _is_within(host, found[1]):
            return found[0]
    return None


def _is_within(host: str, domain: str) -> bool:
    domain = domain.lower().lstrip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


class _Screen:
    """A bar once it takes longer than a moment; nothing where nobody looks."""

    def __init__(self, language: Language, *, shown: bool) -> None:
        self.traffic = Traffic()
        self._language: Language = language
        self._shown = shown
        self._started = time.monotonic()
        self._progress: Progress | None = None
        self._done, self._count = 0, 0
        self._lock = threading.Lock()

    def files(self, done: int, count: int) -> None:
        """So many files of so many are done."""
        self._done, self._count = done, count
        self.draw()

    def draw(self) -> None:
        """Bring the bar up to what was fetched."""
        if not self._shown or time.monotonic() - self._started < SHOWN_AFTER:
            return
        said = say("network.reading", self._language, requests=self.traffic.requests, nbytes=self.traffic.nbytes)
        with self._lock:
            self._progress = self._progress or _bar()
        self._progress.update(
            self._progress.task_ids[0], description=said, completed=self._done, total=self._count or None
        )

    def close(self) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    progress.add_task("", total=None)
    progress.start()
    return progress
