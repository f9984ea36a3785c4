"""The layout of the Hugging Face cache as it lies on disk, whichever program's: huggingface_hub's or llama.cpp's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from weigh.core.errors import OverBudget
from weigh.store.inventory.store import Item
from weigh.store.inventory.walk import OURS, entries_below, folders_in, names_in, status_of

MARKER = ".huggingface-shared-blobs"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PIECE = re.compile(r"(?P<blob>.+?)(?P<run>\.[0-9a-f]{8})?\.(?:incomplete|downloadInProgress)", re.DOTALL)
_LONGEST_REF = 200


class Pointer(NamedTuple):
    """A file of a snapshot, and by which revision it is found."""

    revision: str
    name: str
    entry: os.DirEntry[str]


class Blob(NamedTuple):
    """Where the bytes of a blob's name lie, in the repository or in the store that repositories share."""

    path: str
    status: os.stat_result


def repositories(root: str) -> Iterator[Item]:
    """Every model's files once, by what the newest revision calls them; then what no revision names."""
    used: set[str] = set()
    for entry in folders_in(root):
        if entry.name.startswith("models--"):
            for item in _repository(root, entry.path, entry.name.removeprefix("models--").replace("--", "/")):
                used.add(item.path)
                yield item
    yield from _unused_shared(root, used)


def _repository(root: str, home: str, model: str) -> Iterator[Item]:
    blobs, others = _blobs(root, home)
    named: set[str] = set()
    try:
        pointers = list(_pointers(home))
    except (OSError, OverBudget):  # not everything was seen: nothing may be called unreferenced
        named, pointers = set(blobs), []
        yield from (_file(model, name, blob, name, None) for name, blob in blobs.items())
    for pointer in pointers:
        yield from _pointed(model, pointer, blobs, named)
    for name in blobs.keys() - named:
        if blobs[name].path.startswith(home):  # not what is in the store that repositories share
            yield Item(blobs[name].path, model, name, blobs[name].status, "orphan", why="unreferenced")
    yield from _unfinished(model, others, blobs)


def _pointed(model: str, pointer: Pointer, blobs: dict[str, Blob], named: set[str]) -> Iterator[Item]:
    """What a name in a snapshot stands for: a blob that no other name stood for, a file of its own, or nothing."""
    revision, name, entry = pointer
    if not entry.is_symlink():
        if (status := status_of(entry)) is not None:
            yield Item(entry.path, model, name, status, revision=revision)
        return
    target = os.path.normpath(os.path.join(os.path.dirname(entry.path), os.readlink(entry.path)))
    key = os.path.basename(target)
    if key in blobs:
        if key not in named:
            named.add(key)
            yield _file(model, name, blobs[key], key, revision)
    elif not os.path.exists(entry.path):
        yield Item(entry.path, model, name, os.lstat(entry.path), "dangling", revision=revision)


def _file(model: str, name: str, blob: Blob, key: str, revision: str | None) -> Item:
    claim = key if _SHA256.fullmatch(key) else None
    return Item(blob.path, model, name, blob.status, claim=claim, is_replaced=True, revision=revision)


def _blobs(root: str, home: str) -> tuple[dict[str, Blob], dict[str, Blob]]:
    """The repository's blobs by their names, and what else lies among them."""
    blobs: dict[str, Blob] = {}
    others: dict[str, Blob] = {}
    for entry in names_in(os.path.join(home, "blobs")):
        if entry.is_symlink():
            if (shared := _shared(root, entry.path)) is not None:
                blobs[entry.name] = shared
        elif (status := status_of(entry)) is not None:
            is_other = _PIECE.fullmatch(entry.name) or entry.name.endswith(OURS)
            (others if is_other else blobs)[entry.name] = Blob(entry.path, status)
    return blobs, others


def _shared(root: str, link: str) -> Blob | None:
    """The aim of a link, if it is a file in the store that all repositories of this root share."""
    store = os.path.join(root, "blobs")
    target = os.path.realpath(link)
    if os.path.dirname(os.path.dirname(target)) != store or not _has_marker(store):
        return None
    try:
        return Blob(target, os.lstat(target))
    except OSError:
        return None


def _has_marker(store: str) -> bool:
    """In the store, or beside it."""
    return any(os.path.isfile(os.path.join(folder, MARKER)) for folder in (store, os.path.dirname(store)))


def _pointers(home: str) -> Iterator[Pointer]:
    """Every file of every snapshot, those that a ref leads to first. Raises OSError."""
    refs = dict(_refs(home))
    snapshots = os.path.join(home, "snapshots")
    if not os.path.lexists(snapshots):
        return
    with os.scandir(snapshots) as listing:
        commits = sorted((entry.name for entry in listing), key=lambda name: (name not in refs, name))
    for commit in commits:
        if not os.path.islink(path := os.path.join(snapshots, commit)):
            for entry, name in entries_below(path, strict=True):
                yield Pointer(refs.get(commit, commit[:12]), name, entry)


def _refs(home: str) -> Iterator[tuple[str, str]]:
    """Commits with the names that lead to them."""
    root = os.path.join(home, "refs")
    for entry, name in entries_below(root, strict=False):
        if status_of(entry) is not None:
            try:
                with open(entry.path, encoding="ascii", errors="replace") as file:
                    yield file.read(_LONGEST_REF).strip(), name
            except OSError:
                continue


def _unfinished(model: str, others: dict[str, Blob], blobs: dict[str, Blob]) -> Iterator[Item]:
    """Downloads that broke off. Since huggingface_hub 1.18 each run has a name of its own, and no other takes it up."""
    for name, blob in others.items():
        piece = _PIECE.fullmatch(name)
        if piece is None:
            yield Item(blob.path, model, name, blob.status, "ours", why="cut-off")
        elif piece["run"] is not None:
            yield Item(blob.path, model, name, blob.status, "orphan", why="never-resumed")
        elif piece["blob"] in blobs:
            yield Item(blob.path, model, name, blob.status, "orphan", why="whole-is-there")
        else:
            yield Item(blob.path, model, name, blob.status, "partial")


def _unused_shared(root: str, used: set[str]) -> Iterator[Item]:
    """Of the store that repositories share, what none of them uses; its owner keeps a list and a lock for each."""
    store = os.path.join(root, "blobs")
    if not _has_marker(store):
        return
    for folder in folders_in(store):
        for entry in names_in(folder.path):
            status = status_of(entry)
            if status is not None and _SHA256.fullmatch(entry.name) and entry.path not in used:
                yield Item(entry.path, "", entry.name, status, "orphan", why="shared")
