"""One process at a time: a lock on a file, which the system lets go when its holder dies."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

POLL = 0.1  # seconds between two tries
STALE = 600.0  # seconds after which a lock that nobody renews is no lock, where the system has none of its own


@contextmanager
def alone(path: str, wait: Callable[[float], None], waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock at `path`. `waiting` is called once if another has it; `wait` may raise to give up."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    release = _by_system if _has_flock() else _by_name
    told = False
    while (held := release(path)) is None:
        if not told:
            waiting()
            told = True
        wait(POLL)
    try:
        yield
    finally:
        held()


def _has_flock() -> bool:
    try:
        import fcntl
    except ImportError:
        return False
    return hasattr(fcntl, "flock")


def _by_system(path: str) -> Callable[[], None] | None:
    """What gives the lock back; None if another holds it. The file is unlinked by its last holder."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_ino != os.stat(path).st_ino:  # another unlinked it after we opened it
            raise BlockingIOError
    except (BlockingIOError, FileNotFoundError):
        os.close(descriptor)
        return None

    def give_back() -> None:
        _unlink(path)
        os.close(descriptor)

    return give_back


def _by_name(path: str) -> Callable[[], None] | None:
    """By the file's being there, where the system has no locks that die with their holder."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    except FileExistsError:
        try:
            if time.time() - os.stat(path).st_mtime > STALE:
                _unlink(path)
        except OSError:
            pass
        return None
    return lambda: _unlink(path)


def _unlink(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)
