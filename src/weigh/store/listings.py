"""What hubs said of their repositories, kept, so that a pull without a network knows what there is."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from weigh.core.value import Value
from weigh.hubs.repository import About, RemoteFile
from weigh.store.layouts.layout import Address
from weigh.store.quarantine import write

MOST = 64 << 20
_COMMIT_DIGITS = 40


class Listing(Value, frozen=True, kw_only=True):
    """The files of a revision and what the hub said of it."""

    about: About
    files: Mapping[str, RemoteFile]


def keep(home: str, hub: str, address: Address, listing: Listing) -> None:
    """Under the revision that was asked for. What cannot be kept is not: the next pull asks again."""
    try:
        write(_path(home, hub, address), msgspec.json.encode(listing))
    except OSError:
        return


def recall(home: str, hub: str, address: Address) -> Listing | None:
    """As it was when it was last listed; None where it never was."""
    try:
        with open(_path(home, hub, address), "rb") as file:
            return msgspec.json.decode(file.read(MOST), type=Listing)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


class _Tree(msgspec.Struct):
    files: dict[str, _File]


class _File(msgspec.Struct):
    size: int
    blob_id: str
    lfs_sha256: str | None = None


def of_cache(folder: str, revision: str) -> Listing | None:
    """The tree that huggingface_hub keeps of a commit, found by its ref; None where it keeps none."""
    commit = commit_at(folder, revision)
    try:
        with open(os.path.join(folder, "trees", f"{commit}.json"), "rb") as file:
            tree = msgspec.json.decode(file.read(MOST), type=_Tree)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    files = {
        path: RemoteFile(path=path, nbytes=one.size, url="", sha256=one.lfs_sha256, oid=one.blob_id)
        for path, one in tree.files.items()
    }
    return Listing(about=About(commit=commit), files=files)


def commit_at(folder: str, revision: str) -> str | None:
    """The commit that a revision was in this cache of a repository when it was last asked for."""
    if len(revision) == _COMMIT_DIGITS:
        return os.path.basename(revision)
    try:
        with open(os.path.join(folder, "refs", *revision.split("/")), encoding="ascii") as file:
            return os.path.basename(file.read(100).strip())
    except (OSError, ValueError):
        return None


def _path(home: str, hub: str, address: Address) -> str:
    return os.path.join(home, "listings", f"{hub}--{address.flat}", f"{address.revision.replace('/', '--')}.json")
