"""Many files read to their hashes at once, each content once."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from weigh.store.crew import Crew, Stopped
from weigh.store.digest import Known, Running, pieces_of
from weigh.store.members import Member


class Readers(NamedTuple):
    """How many at a time, what ends them all, who is told of bytes read, and of a moment that passed."""

    jobs: int
    stop: threading.Event
    tell: Callable[[int], None]
    tick: Callable[[], None]


def hashes_of(members: Sequence[Member], by_git: frozenset[str], readers: Readers) -> Mapping[str, Known | None]:
    """By path; None for what could not be read. Git's hash is taken of the paths that are known by it alone."""
    once: dict[tuple[int, int], list[Member]] = {}
    for member in members:
        once.setdefault(member.identity, []).append(member)
    same = sorted(once.values(), key=lambda names: -names[0].nbytes)

    def work(names: list[Member]) -> tuple[list[Member], Known | None]:
        return names, _read(names[0], readers, git=any(name.path in by_git for name in names))

    crew = Crew(work, jobs=readers.jobs, stop=readers.stop, end=lambda: None)
    return {name.path: known for names, known in crew.run(same, readers.tick) for name in names}


def _read(member: Member, readers: Readers, *, git: bool) -> Known | None:
    try:
        with open(member.place, "rb", buffering=0) as file:
            running = Running(os.fstat(file.fileno()).st_size if git else None)
            for piece in pieces_of(file.fileno(), 0, None):
                running.update(piece)
                readers.tell(len(piece))
                if readers.stop.is_set():
                    raise Stopped
    except OSError:
        return None
    return running.known()
