"""Who holds a file open on this machine, as far as Linux shows it to us."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from functools import lru_cache

PROCESSES = "/proc"
# File systems that other machines write to as well: their processes are not seen here.
_FAR = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "fuse",
    "virtiofs",
    "ceph",
    "lustre",
    "gluster",
    "beegfs",
    "gpfs",
    "afs",
    "ocfs2",
    "gfs2",
)
_LOCKS = ".locks"


def is_held(path: str) -> bool | None:
    """Does a process have it open, or its owner's lock? None where those who may write to it are not all seen."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    opened = _opened(int(time.monotonic()))
    if opened is None or not _is_seen(status) or (kind_at(path) or _FAR[0]).startswith(_FAR):
        return None
    return (status.st_dev, status.st_ino) in opened or _is_locked(path)


def kind_at(path: str) -> str | None:
    """The kind of the file system that the path is on, as Linux lists them."""
    try:
        with open(f"{PROCESSES}/self/mounts", encoding="utf-8", errors="surrogateescape") as file:
            rows = [line.split(" ")[1:3] for line in file]
    except OSError:
        return None
    above = [(len(place), kind) for place, kind in rows if f"{path}/".startswith(f"{place.rstrip('/')}/")]
    return max(above, key=lambda one: one[0])[1] if above else None


def _is_seen(status: os.stat_result) -> bool:
    """Would whoever writes to it be a process of ours, or are we shown all?"""
    return hasattr(os, "geteuid") and os.geteuid() in (0, status.st_uid)


@lru_cache(maxsize=1)
def _opened(moment: int) -> frozenset[tuple[int, int]] | None:
    """Every file that a process has open, looked up once a moment; None where the system does not tell."""
    if not os.path.isdir(f"{PROCESSES}/self/fd"):
        return None
    found: set[tuple[int, int]] = set()
    for process in filter(str.isdecimal, os.listdir(PROCESSES)):
        folder = f"{PROCESSES}/{process}/fd"
        with suppress(OSError):
            for name in os.listdir(folder):
                with suppress(OSError):
                    status = os.stat(f"{folder}/{name}")
                    found.add((status.st_dev, status.st_ino))
    return frozenset(found)


def _is_locked(path: str) -> bool:
    """Is the lock held that huggingface_hub takes while it brings a blob?"""
    blobs, name = os.path.split(path)
    repository = os.path.dirname(blobs)
    lock = os.path.join(os.path.dirname(repository), _LOCKS, os.path.basename(repository), f"{name.split('.')[0]}.lock")
    try:
        import fcntl

        descriptor = os.open(lock, os.O_RDWR)
    except (ImportError, OSError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
