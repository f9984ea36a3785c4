"""A revision as it is served: every file with its hashes, computed once and kept by what the file looks like."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from weigh.app.mirror.shelf import Place, Shelf, commit_of
from weigh.core.value import Value
from weigh.knowledge.large_files import large_files
from weigh.store.digest import Digest, digest_of_name, of_file
from weigh.store.guard import alone
from weigh.store.quarantine import write

LARGE = 1 << 20  # from so many bytes on a file is told by its sha256, as hubs tell what is in large file storage
MOST_FILES = 200_000
_NOT_THE_MODEL = frozenset({".git", ".hg", ".svn", "__pycache__", ".cache", ".weigh", ".locks"})
_UNFINISHED = re.compile(r"\.\d+\.tmp$|\.incomplete$|\.part$")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")


class Look(NamedTuple):
    """What a file looks like: another look, another content."""

    device: int
    inode: int
    nbytes: int
    mtime_ns: int


class Seen(NamedTuple):
    """A file as it lies on the disk, not read yet; `real` is behind every link."""

    path: str
    real: str
    look: Look


class StoredFile(Value, frozen=True, kw_only=True):
    """`git` is git's sha1 of its bytes. `is_large`: it is known by its sha256, not by git's."""

    path: str
    real: str
    look: Look
    sha256: str
    git: str
    is_large: bool

    @property
    def nbytes(self) -> int:
        """Bytes of it."""
        return self.look.nbytes

    @property
    def etag(self) -> str:
        """As hubs and their caches name it."""
        return self.sha256 if self.is_large else self.git


class Snapshot(Value, frozen=True, kw_only=True):
    """`fingerprint` is of the paths and contents; `commit` is the hub's where it gave one, else made of that.

    `damaged` are files whose name in the cache says a hash that they do not have.
    """

    place: Place
    folder: str
    commit: str
    fingerprint: str
    files: Mapping[str, StoredFile]
    damaged: tuple[str, ...] = ()

    @property
    def modified(self) -> float:
        """Seconds since 1970 of the latest change."""
        return max((file.look.mtime_ns for file in self.files.values()), default=0) / 1e9


class Hashes(Value, frozen=True, kw_only=True):
    """What was computed of a file."""

    sha256: str
    git: str


def scan(shelf: Shelf, folder: str) -> tuple[Seen, ...]:
    """The regular files below the folder; links that lead out of the root, odd names and tools' folders left out."""
    return tuple(sorted(_below(shelf, folder)))


def take(shelf: Shelf, place: Place, folder: str, seen: tuple[Seen, ...], state: str) -> Snapshot:
    """With every hash: from `state` where a file looks as it did, else read now. Raises OSError, WeighError."""
    ledger = os.path.join(state, "hashes", f"{place.flat}.json")
    known = _recall(ledger)
    if any(_key(one.look) not in known for one in seen):
        with alone(os.path.join(state, "locks", f"hashes-{place.flat}.lock"), time.sleep):
            known = _computed(seen, _recall(ledger), ledger)
    return _snapshot(place, folder, seen, known)


def look_of(status: os.stat_result) -> Look:
    """The look of an open file."""
    return Look(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _below(shelf: Shelf, root: str) -> Iterator[Seen]:
    pending, count = [(root, "")], 0
    while pending:
        folder, stem = pending.pop()
        for item in _entries(folder):
            if _UNSAFE.search(item.name) or item.name in _NOT_THE_MODEL:
                continue
            if item.is_dir(follow_symlinks=False):
                pending.append((item.path, f"{stem}{item.name}/"))
            elif (seen := _seen(shelf, item, stem + item.name)) is not None:
                yield seen
                count += 1
        if count > MOST_FILES:
            return


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as listing:
            return list(listing)
    except OSError:
        return []


def _seen(shelf: Shelf, item: os.DirEntry[str], path: str) -> Seen | None:
    try:
        real = os.path.realpath(item.path, strict=True)
        status = os.stat(real)
    except OSError:
        return None
    inside = real.startswith(shelf.root.rstrip(os.sep) + os.sep)
    if not inside or not stat.S_ISREG(status.st_mode) or _UNFINISHED.search(path):
        return None
    return Seen(path, real, look_of(status))


def _computed(seen: tuple[Seen, ...], known: dict[str, Hashes], ledger: str) -> dict[str, Hashes]:
    """What is known and what was read now, kept."""
    found = {_key(one.look): known[_key(one.look)] for one in seen if _key(one.look) in known}
    for one in seen:
        if _key(one.look) not in found:
            found[_key(one.look)] = _hashes(one)
    write(ledger, msgspec.json.encode(known | found if len(known) < 2 * MOST_FILES else found))
    return found


def _hashes(seen: Seen) -> Hashes:
    """Raises OSError for a file that changes while it is read."""
    known = of_file(seen.real, Digest(kind="git", hex=""))
    if look_of(os.stat(seen.real)) != seen.look or known.git is None:
        raise BlockingIOError(seen.path)
    return Hashes(sha256=known.sha256, git=known.git)


def _recall(ledger: str) -> dict[str, Hashes]:
    try:
        with open(ledger, "rb") as file:
            return msgspec.json.decode(file.read(), type=dict[str, Hashes])
    except (OSError, msgspec.DecodeError):
        return {}


def _key(look: Look) -> str:
    return "-".join(map(str, look))


def _snapshot(place: Place, folder: str, seen: tuple[Seen, ...], known: Mapping[str, Hashes]) -> Snapshot:
    files: dict[str, StoredFile] = {}
    damaged = []
    for one in seen:
        hashes = known[_key(one.look)]
        said = digest_of_name(os.path.basename(one.real)) if commit_of(folder) else None
        if said is not None and said.hex not in (hashes.sha256, hashes.git):
            damaged.append(one.path)
        is_large = said.kind == "sha256" if said is not None else _is_large(one)
        files[one.path] = StoredFile(
            path=one.path, real=one.real, look=one.look, sha256=hashes.sha256, git=hashes.git, is_large=is_large
        )
    fingerprint = _fingerprint(files)
    commit = commit_of(folder) or fingerprint[:40]
    return Snapshot(
        place=place, folder=folder, commit=commit, fingerprint=fingerprint, files=files, damaged=tuple(damaged)
    )


def _is_large(seen: Seen) -> bool:
    """By its size, or by a suffix that hubs track whatever the size."""
    return seen.look.nbytes >= LARGE or seen.path.rpartition(".")[2].lower() in large_files()


def _fingerprint(files: Mapping[str, StoredFile]) -> str:
    running = hashlib.sha256()
    for path in sorted(files):
        running.update(f"{path}\0{files[path].nbytes}\0{files[path].sha256}\n".encode())
    return running.hexdigest()
