"""Which repositories a root holds: folders `namespace/name`, or what a Hugging Face cache keeps."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Literal

from weigh.core.value import Value

Kind = Literal["models", "datasets"]
KINDS: tuple[Kind, ...] = ("models", "datasets")
MAIN = "main"
MOST_REPOSITORIES = 100_000
_PIECE = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_ID = re.compile(rf"{_PIECE}/{_PIECE}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}")
_RESERVED = frozenset(KINDS) | {"api", "v2", "openapi", "weigh", "spaces"}  # what routes begin with


class Shelf(Value, frozen=True, kw_only=True):
    """`root` is a real path; files outside of it are never served. `is_cache`: it is laid out as Hugging Face's."""

    root: str
    is_cache: bool


class Place(Value, frozen=True, kw_only=True):
    """A repository: the folder of each revision by the names that it goes by, the main one among them.

    `commit` of a folder is its own name where the hub gave it one.
    """

    kind: Kind
    id: str
    folders: Mapping[str, str]

    @property
    def flat(self) -> str:
        """One name for files of ours."""
        return f"{self.kind}--{self.id.replace('/', '--')}"


def is_id(id: str) -> bool:
    """Is it `namespace/name` as hubs allow it?"""
    return bool(_ID.fullmatch(id)) and "--" not in id and ".." not in id and id.partition("/")[0] not in _RESERVED


def find(shelf: Shelf, kind: Kind, id: str) -> Place | None:
    """The repository of this id."""
    if not is_id(id):
        return None
    folders = _cached(shelf, kind, id) if shelf.is_cache else _plain(shelf, kind, id)
    return Place(kind=kind, id=id, folders=folders) if folders else None


def walk(shelf: Shelf, kind: Kind) -> Iterator[Place]:
    """Every repository of the kind, sorted by its id."""
    found = 0
    for id in sorted(_ids_of_cache(shelf, kind) if shelf.is_cache else _ids_of_folder(_base(shelf, kind))):
        place = find(shelf, kind, id)
        if place is not None:
            yield place
            found += 1
        if found == MOST_REPOSITORIES:
            return


def commit_of(folder: str) -> str | None:
    """The commit that a folder's name is; None where it is none."""
    name = os.path.basename(folder)
    return name if os.path.basename(os.path.dirname(folder)) == "snapshots" and _COMMIT.fullmatch(name) else None


def folder_of(place: Place, revision: str) -> str | None:
    """`master` is what ModelScope calls the main branch; None for a revision that is not here."""
    revision = revision.removeprefix("refs/heads/")
    found = place.folders.get(revision)
    return place.folders.get(MAIN) if found is None and revision == "master" else found


def before_of(shelf: Shelf, id: str) -> str:
    """Where what was served before a renewal lies, under its commit: who is fetching it can go on."""
    return os.path.join(shelf.root, ".weigh", "before", f"models--{id.replace('/', '--')}", "snapshots")


def _base(shelf: Shelf, kind: Kind) -> str:
    return shelf.root if kind == "models" else os.path.join(shelf.root, kind)


def _plain(shelf: Shelf, kind: Kind, id: str) -> Mapping[str, str]:
    folder = os.path.join(_base(shelf, kind), *id.split("/"))
    if not _is_inside(folder, shelf.root) or not os.path.isdir(folder):
        return {}
    before = before_of(shelf, id) if kind == "models" else ""
    return {name: os.path.join(before, name) for name in _names(before) if _COMMIT.fullmatch(name)} | {MAIN: folder}


def _cached(shelf: Shelf, kind: Kind, id: str) -> Mapping[str, str]:
    home = os.path.join(shelf.root, f"{kind}--{id.replace('/', '--')}")
    snapshots = os.path.join(home, "snapshots")
    folders = {name: os.path.join(snapshots, name) for name in _names(snapshots) if _COMMIT.fullmatch(name)}
    named = {name: folders[commit] for name, commit in _refs(os.path.join(home, "refs")) if commit in folders}
    if folders and MAIN not in named:
        named[MAIN] = max(folders.values(), key=_modified)
    return folders | named if _is_inside(home, shelf.root) else {}


def _refs(root: str) -> Iterator[tuple[str, str]]:
    for folder, _, files in os.walk(root):
        for name in files:
            path = os.path.join(folder, name)
            ref = os.path.relpath(path, root).replace(os.sep, "/")
            try:
                with open(path, encoding="ascii") as file:
                    commit = file.read(100).strip()
            except (OSError, ValueError):
                continue
            if _REF.fullmatch(ref):
                yield ref, commit


def _ids_of_cache(shelf: Shelf, kind: Kind) -> Iterator[str]:
    for name in _names(shelf.root):
        stem, _, rest = name.partition("--")
        if stem == kind and rest.count("--") == 1:
            yield rest.replace("--", "/")


def _ids_of_folder(base: str) -> Iterator[str]:
    for namespace in _names(base):
        if namespace not in _RESERVED and not namespace.startswith("."):
            yield from (f"{namespace}/{name}" for name in _names(os.path.join(base, namespace)))


def _is_inside(path: str, root: str) -> bool:
    real = os.path.realpath(path)
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)


def _names(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except OSError:
        return []


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0
