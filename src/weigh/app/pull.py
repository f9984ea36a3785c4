"""A plan carried out: fetched, verified, looked at, released or held, and written down in a lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from weigh.app.arrival import Gate, forget, is_held, look_at, parcels_of, release
from weigh.app.stores import Finder, Goal, Stores
from weigh.core.errors import SourceError
from weigh.core.report import Report
from weigh.core.value import Value
from weigh.sources.bulk import BulkClient
from weigh.store.crew import Crew, Stopped
from weigh.store.digest import Digest, of_file
from weigh.store.fetch import fetch
from weigh.store.guard import alone
from weigh.store.layouts import FOLDER, LAYOUTS
from weigh.store.layouts.layout import Parcel
from weigh.store.line import Line, Want
from weigh.store.lock import NAME, VERSION, Lock, LockedFile, write_lock
from weigh.store.pace import Pace
from weigh.store.partial import cannot_write
from weigh.store.plan import Item, Plan
from weigh.store.quarantine import Quarantine, verified

Status = Literal["released", "held", "deleted"]


class Watch(NamedTuple):
    """Who is told what: bytes of a file that are here, a file that another process fetches, a moment that passed, a
    stage that begins."""

    bytes_here: Callable[[str, int], None]
    waits: Callable[[str], None]
    tick: Callable[[], None]
    stage: Callable[[str], None]


class Ways(NamedTuple):
    """What it takes to pull: a connection (None where there is none), the clock, how many at once and how fast,
    how long a busy server is waited for."""

    client: BulkClient | None
    now: Callable[[], float]
    wait: Callable[[float], None]
    stop: threading.Event
    jobs: int = 4
    rate: int | None = None
    patience: float = 900.0


class Outcome(Value, frozen=True, kw_only=True):
    """What came of it: `folder` is where loaders find it, or where it is held; `fetched` counts files that were not
    here; `report` is what was found when it arrived."""

    status: Status
    folder: str
    report: Report | None = None
    fetched: int = 0
    lock: str | None = None


def pull(plan: Plan, stores: Stores, gate: Gate, ways: Ways, watch: Watch) -> Outcome:
    """Raises WeighError where not all of it could be had: then what came is kept for the next time."""
    try:
        return _pull(plan, stores, gate, ways, watch)
    except OSError as error:
        raise cannot_write(error, str(error.filename or plan.destination)) from error


def _pull(plan: Plan, stores: Stores, gate: Gate, ways: Ways, watch: Watch) -> Outcome:
    goal = goal_of_plan(plan)
    quarantine = goal.quarantine(stores)
    finder = Finder(goal, stores, plan.address)
    fetched = _bring(plan, finder, ways, watch)
    watch.stage("check")
    with alone(quarantine.lock(f"arrival-{plan.address.flat}"), ways.wait):
        parcels = parcels_of(plan, Finder(goal, stores, plan.address), quarantine)
        report, view = look_at(plan, parcels, quarantine, gate)
        if is_held(report, gate.policy) and not gate.is_open:
            return Outcome(status="held", folder=view, report=report, fetched=fetched)
        folder = release(plan, parcels, goal)
        forget(plan, quarantine, objects=True)
    beside = os.path.join(folder, NAME) if plan.layout == "folder" and plan.hub in ("hf", "ms") else None
    path = plan.lock or beside
    if path is not None:
        write_lock(path, lock_of(plan, parcels, report, goal))
    _tidy(quarantine, stores)
    return Outcome(status="released", folder=folder, report=report, fetched=fetched, lock=path)


def delete(plan: Plan, stores: Stores) -> Outcome:
    """What is held of it, gone."""
    goal = goal_of_plan(plan)
    forget(plan, goal.quarantine(stores), objects=True)
    return Outcome(status="deleted", folder=goal.root)


def goal_of_plan(plan: Plan) -> Goal:
    """The layout and root of a plan."""
    layout = next((one for one in LAYOUTS if one.id == plan.layout), FOLDER)
    return Goal(layout=layout, root=plan.destination)


def lock_of(plan: Plan, parcels: tuple[Parcel, ...], report: Report | None, goal: Goal) -> Lock:
    """What was released, each file with its sha256."""
    fact = report.model.licence if report is not None and report.model is not None else None
    return Lock(
        schema=VERSION,
        hub=plan.hub,  # type: ignore[arg-type]
        repository=plan.address.repository if plan.hub in ("hf", "ms") else _address(plan),
        revision=plan.address.revision,
        commit=plan.address.commit,
        licence=plan.licence or (fact.value if fact is not None else None),
        gated=plan.gated,
        verdict=report.verdict if report is not None else None,
        files=tuple(_locked(item, parcel, goal, plan) for item, parcel in zip(plan.items, parcels, strict=True)),
    )


def _address(plan: Plan) -> str:
    """Without what is asked there: it may be a signature."""
    parts = urlsplit(plan.items[0].sources[0].url)
    return parts.netloc.rpartition("@")[2] + parts.path


def _locked(item: Item, parcel: Parcel, goal: Goal, plan: Plan) -> LockedFile:
    git = next((one.hex for one in (item.digest, item.blob) if one is not None and one.kind == "git"), None)
    sha256 = item.digest.hex
    if item.digest.kind != "sha256":
        path = goal.layout.find(goal.root, plan.address, item.path, parcel.digest)
        sha256 = of_file(path, Digest(kind="sha256", hex="")).sha256
    return LockedFile(path=item.path, size=parcel.nbytes, sha256=sha256, git_sha1=git)


def _bring(plan: Plan, finder: Finder, ways: Ways, watch: Watch) -> int:
    """Every file here and verified; how many had to be fetched."""
    nbytes = sum(max((item.nbytes or 0) - _came(item, finder.quarantine), 0) for item in plan.missing)
    if plan.room is not None and nbytes > plan.room:
        raise SourceError("store.no_room", path=plan.destination, nbytes=nbytes, room=plan.room)
    if ways.client is None and plan.missing:
        raise SourceError("store.offline", path=str(plan.address.repository), count=len(plan.missing))
    watch.stage("fetch")
    order = sorted(plan.items, key=lambda item: (item.nbytes or 0) > 1 << 20)

    line = _line(ways, Pace(ways.rate, ways.now, ways.wait), watch)

    def work(item: Item) -> int:
        return _bring_one(item, finder, watch.bytes_here, line)

    end = ways.client.close if ways.client is not None else lambda: None
    return sum(Crew(work, jobs=ways.jobs, stop=ways.stop, end=end).run(order, watch.tick))


def _line(ways: Ways, pace: Pace, watch: Watch) -> Line | None:
    """None where there is no network."""
    if ways.client is None:
        return None

    def check() -> None:
        if ways.stop.is_set():
            raise Stopped

    return Line(ways.client, pace, ways.now, watch.bytes_here, watch.waits, check, patience=ways.patience)


def _came(item: Item, quarantine: Quarantine) -> int:
    """Bytes of it that an earlier pull left."""
    try:
        return os.stat(quarantine.part(item.digest)).st_size
    except OSError:
        return 0


def _bring_one(item: Item, finder: Finder, tell: Callable[[str, int], None], line: Line | None) -> int:
    """1 where it had to be fetched, 0 where it was here."""

    def is_here() -> bool:
        place = None if item.is_fresh else finder.place_of(item)
        return place is not None and verified(place, item.digest, finder.quarantine)

    if is_here():
        tell(item.path, item.nbytes or 0)
        return 0
    if line is None:
        raise SourceError("store.damaged", path=item.path)
    want = Want(path=item.path, nbytes=item.nbytes, digest=item.digest, sources=item.sources, is_fresh=item.is_fresh)
    return int(fetch(want, finder.quarantine, line, is_here) is not None)


def _tidy(quarantine: Quarantine, stores: Stores) -> None:
    """No empty folder is left in a destination."""
    if not quarantine.root.startswith(stores.home):
        for folder, _, files in os.walk(quarantine.root, topdown=False):
            if not files:
                os.rmdir(folder)
