"""What came from another hub: of which commit it is, when that was asked last, how a newer one takes its place."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import NamedTuple

from weigh.app.mirror.shelf import MAIN, Shelf, before_of, find
from weigh.app.mirror.snapshot import scan, take
from weigh.core.errors import WeighError
from weigh.store.exchange import exchange
from weigh.store.lock import read_lock


class Origin(NamedTuple):
    """The commit that the other hub gave it, and when that was asked for last, in seconds since 1970."""

    commit: str
    asked: float


def record_of(shelf: Shelf, id: str) -> str:
    """The lock of what came; its time is when the other hub was asked last."""
    return os.path.join(shelf.root, ".weigh", "origins", f"models--{id.replace('/', '--')}.lock.json")


def origin(shelf: Shelf, id: str) -> Origin | None:
    """None for what did not come from another hub, or not under its main revision."""
    path = record_of(shelf, id)
    try:
        asked = os.stat(path).st_mtime
        commit = read_lock(path).commit
    except (OSError, WeighError):
        return None
    return Origin(commit, asked) if commit else None


def note_asked(shelf: Shelf, id: str) -> None:
    """Now."""
    with suppress(OSError):
        os.utime(record_of(shelf, id))


def note_origin(shelf: Shelf, id: str, lock: str) -> None:
    """The lock that `weigh pull` wrote, from now on. Raises OSError."""
    record = record_of(shelf, id)
    os.makedirs(os.path.dirname(record), exist_ok=True)
    os.utime(lock)
    os.replace(lock, record)


def laid_out(shelf: Shelf, id: str, stage: str) -> None:
    """What is served, under second names: files that did not change need not be fetched. Raises OSError."""
    found = find(shelf, "models", id)
    for one in scan(shelf, found.folders[MAIN]) if found is not None else ():
        target = os.path.join(stage, *one.path.split("/"))
        if not os.path.lexists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with suppress(OSError):  # then it is fetched
                os.link(one.real, target)


def tidied(stage: str, lock: str) -> None:
    """Without what the lock does not name. Raises OSError, WeighError."""
    named = {os.path.join(stage, *file.path.split("/")) for file in read_lock(lock).files}
    for folder, _, files in os.walk(stage, topdown=False):
        for path in (os.path.join(folder, name) for name in files):
            if path not in named:
                os.unlink(path)
        with suppress(OSError):
            os.rmdir(folder)


def swapped(shelf: Shelf, id: str, stage: str, state: str) -> None:
    """What is staged is served, by one rename; what was served can still be asked for by its commit. Raises OSError,
    WeighError."""
    place = find(shelf, "models", id)
    if place is None:
        raise FileNotFoundError(id)
    folder = place.folders[MAIN]
    commit = take(shelf, place, folder, scan(shelf, folder), state).commit
    before = before_of(shelf, id)
    exchange(stage, folder)
    shutil.rmtree(before, ignore_errors=True)
    os.makedirs(before, exist_ok=True)
    os.rename(stage, os.path.join(before, commit))
