"""Who says what the files of a folder must be: a lock, what the hub listed, the names of blobs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from weigh.store.compare import Said, Witness
from weigh.store.digest import digest_of_name
from weigh.store.listings import Listing, of_cache
from weigh.store.lock import Lock
from weigh.store.members import MOST, Member
from weigh.store.receipts import Receipt

_METADATA = ".metadata"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_DOWNLOADS = (".cache", "huggingface", "download")


class _Noted(NamedTuple):
    """What huggingface_hub notes of a file that it puts into a folder."""

    commit: str
    etag: str


def of_lock(lock: Lock, where: str) -> Witness:
    """Every file by its size and sha256; each must be here."""
    files = {one.path: Said(one.size, one.sha256) for one in lock.files}
    return Witness("lock", where, files, demands=True)


def of_receipt(receipt: Receipt, where: str) -> Witness:
    """What was pulled must be here; what it must be, others say."""
    return Witness("pull", where, dict.fromkeys(receipt.files, Said()), whole=False, demands=True)


def of_listing(listing: Listing, where: str) -> Witness:
    """What the hub said of the revision: of a file in LFS the sha256, of others git's hash of the blob."""
    files = {
        path: Said(one.nbytes, one.sha256, one.oid if one.sha256 is None else None)
        for path, one in listing.files.items()
    }
    return Witness("hub", where, files)


def of_snapshot(folder: str) -> Witness | None:
    """The tree that huggingface_hub keeps of the commit, where the folder is a snapshot in its cache."""
    snapshots, commit = os.path.split(os.path.abspath(folder))
    repository, name = os.path.split(snapshots)
    if name != "snapshots" or not _COMMIT.fullmatch(commit):
        return None
    listing = of_cache(repository, commit)
    return of_listing(listing, os.path.join(repository, "trees", f"{commit}.json")) if listing is not None else None


def of_local_folder(folder: str) -> Witness | None:
    """What huggingface_hub notes in a folder that it was told to fill: the tree, else each file's etag."""
    noted = dict(_noted(os.path.join(folder, *_DOWNLOADS)))
    if not noted:
        return None
    kept = os.path.join(folder, *_DOWNLOADS[:-1])
    commits = {one.commit for one in noted.values()}
    listing = of_cache(kept, commits.pop()) if len(commits) == 1 else None
    if listing is not None:
        return of_listing(listing, os.path.join(kept, "trees", f"{listing.about.commit}.json"))
    files = {path: said for path, one in noted.items() if (said := _by_name(one.etag)) is not None}
    return Witness("hub", os.path.join(folder, *_DOWNLOADS), files, whole=False)


def of_names(members: Sequence[Member]) -> Witness | None:
    """Links to blobs that are called by their hashes, and files that are."""
    files = {member.path: said for member in members if (said := _by_name(_blob(member))) is not None}
    return Witness("name", "blobs", files, whole=False) if files else None


def by_git(witnesses: Sequence[Witness]) -> frozenset[str]:
    """Paths of which somebody knows git's hash alone."""
    return frozenset(path for one in witnesses for path, said in one.files.items() if said.git and not said.sha256)


def narrowed(witness: Witness, paths: frozenset[str]) -> Witness:
    """Of these paths alone."""
    return witness._replace(files={path: said for path, said in witness.files.items() if path in paths}, whole=False)


def _by_name(name: str) -> Said | None:
    digest = digest_of_name(name)
    if digest is None:
        return None
    return Said(sha256=digest.hex) if digest.kind == "sha256" else Said(git=digest.hex)


def _blob(member: Member) -> str:
    """The first name that a link leads to: what it stands for may lie in a store that is shared."""
    place = os.readlink(member.place) if os.path.islink(member.place) else member.place
    folder, name = os.path.split(place)
    return name.removeprefix("sha256-") if os.path.basename(folder) == "blobs" else ""


def _noted(root: str) -> Iterator[tuple[str, _Noted]]:
    count = 0
    for folder, _, names in os.walk(root):
        for name in names:
            count += 1
            if not name.endswith(_METADATA) or count > MOST:
                continue
            try:
                with open(os.path.join(folder, name), encoding="ascii") as file:
                    lines = file.read(1000).splitlines()
            except (OSError, ValueError):
                continue
            if len(lines) >= 2 and _COMMIT.fullmatch(lines[0]):
                path = os.path.relpath(os.path.join(folder, name.removesuffix(_METADATA)), root)
                yield path.replace(os.sep, "/"), _Noted(lines[0], lines[1].strip('"'))
