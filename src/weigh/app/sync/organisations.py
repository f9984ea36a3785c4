"""A hub's list of models, organisation by organisation, several at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from weigh.app.sync.belonging import organisations, own_ids
from weigh.hubs.hub import Site
from weigh.knowledge.synced import Heard, Told
from weigh.sources.refusals import NotFetched
from weigh.sources.request import Access, origin_of

AT_ONCE = 6
MOST_KEPT = 5000  # rows of one hub, the newest; those that the table names are always kept


class Listed(NamedTuple):
    """The models of one organisation; `whole` is False where its list was not read to the end."""

    models: Sequence[Told] = ()
    ill: int = 0
    whole: bool = True


def hear_hub(
    hub: str, list_one: Callable[[str, str], Listed], progress: Callable[[int, int], None], *, place: str, day: str
) -> Heard:
    """All organisations of the table; one that is not there is passed over. Raises NotFetched for any other failure."""
    asked = sorted(organisations(hub).items())
    done = _Count(progress, len(asked))

    def ask(pair: tuple[str, str]) -> tuple[str, Listed]:
        try:
            listed = list_one(*pair)
        except NotFetched as error:
            if error.saying.key != "error.http.missing":
                raise
            listed = Listed()
        done.add()
        return pair[0], listed

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        try:
            answers = list(pool.map(ask, asked))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    models = _without_doubles(row for _, listed in answers for row in listed.models)
    return Heard(
        source=hub,
        day=day,
        place=place,
        models=_newest(models),
        absent=_absent(hub, models, [name for name, listed in answers if listed.whole and listed.models]),
        ill=sum(listed.ill for _, listed in answers),
        whole=all(listed.whole for _, listed in answers) and len(models) <= MOST_KEPT,
    )


def access_of(site: Site, variable: str) -> Access:
    """The user's token for this hub alone, where there is one."""
    headers = {"authorization": f"Bearer {site.token}"} if site.token else {}
    return Access(origin=origin_of(site.endpoint), headers=headers, variable=variable)


def _without_doubles(rows: Iterable[Told]) -> list[Told]:
    found: dict[str, Told] = {}
    for row in rows:
        found.setdefault(row.id, row)
    return list(found.values())


def _newest(rows: Iterable[Told]) -> tuple[Told, ...]:
    kept = sorted(rows, key=lambda row: (row.own, row.released or ""), reverse=True)[:MOST_KEPT]
    return tuple(sorted(kept, key=lambda row: row.id))


def _absent(hub: str, rows: Iterable[Told], read: Iterable[str]) -> tuple[str, ...]:
    """Ids of the table that organisations whose lists were read to the end do not list."""
    there, wholly = {row.id for row in rows}, set(read)
    return tuple(sorted(id for id in own_ids(hub) if id.partition("/")[0] in wholly and id not in there))


class _Count:
    """How many organisations are done, told to the screen from any thread."""

    def __init__(self, progress: Callable[[int, int], None], whole: int) -> None:
        self._progress, self._whole, self._done = progress, whole, 0
        self._lock = threading.Lock()

    def add(self) -> None:
        with self._lock:
            self._done += 1
            done = self._done
        self._progress(done, self._whole)
