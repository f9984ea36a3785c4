"""Every model on this machine, whichever program brought it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from msgspec.structs import replace

from weigh.app.inventory_sets import broken, largest_set, place
from weigh.app.kept import Kept, Samples, Tell, refreshed
from weigh.app.traits import Ruin
from weigh.core.errors import SourceError, WeighError
from weigh.core.name import Name
from weigh.core.saying import Saying
from weigh.core.value import Value
from weigh.names.decode import decode
from weigh.store.doubles import One, doubles
from weigh.store.inventory import FOLDER, STORES
from weigh.store.inventory.store import Item, Store, Why
from weigh.store.rows import Row, opened, read_rows, write_rows

# Folders that hold anything: what is no model in them is not listed.
_LOOSE = frozenset({"folder", "comfyui", "a1111", "keras", "torch-hub", "whisper", "gpt4all", "llama.cpp"})


class Asked(Value, frozen=True, kw_only=True):
    """`places` are the folders of each store by its id; `stores` those that are asked for, all where none is named."""

    places: Mapping[str, tuple[str, ...]] = {}
    folders: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    rows: str


class Broken(Value, frozen=True, kw_only=True):
    """A file that a loader would stumble over."""

    path: str
    ruin: Ruin


class Listed(Value, frozen=True, kw_only=True):
    """A model of a store. `nbytes` counts each inode once; `used` is seconds since 1970, the latest of its files.

    `num_parameters` is of its largest set of weights, `num_files` without unfinished ones, `partial` their bytes.
    """

    store: str
    model: str
    path: str
    nbytes: int
    num_files: int
    used: float | None = None
    revisions: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    family: str | None = None
    num_parameters: int | None = None
    quantisations: tuple[str, ...] = ()
    broken: tuple[Broken, ...] = ()
    partial: int | None = None
    name: Name | None = None


class Copy(Value, frozen=True, kw_only=True):
    """One of several files of the same content."""

    store: str
    model: str
    path: str


class Double(Value, frozen=True, kw_only=True):
    """`nbytes` of each copy. `proof`: their names claim one hash, or samples of their bytes agree."""

    nbytes: int
    proof: Literal["claim", "sample"]
    copies: tuple[Copy, ...]


class Spare(Value, frozen=True, kw_only=True):
    """What is no part of a whole model: an unfinished download, or an orphan with the reason."""

    store: str
    model: str
    path: str
    nbytes: int
    why: Why | None = None


class Inventory(Value, frozen=True, kw_only=True):
    """`nbytes` counts each inode once, whichever models have it. `left` could not be looked through."""

    nbytes: int
    models: tuple[Listed, ...] = ()
    doubles: tuple[Double, ...] = ()
    spare: tuple[Spare, ...] = ()
    left: tuple[tuple[str, Saying], ...] = ()


class Surveyed(NamedTuple):
    """What is told, and the files it is told of; how many of them were read anew."""

    inventory: Inventory
    files: tuple[Kept, ...]
    groups: tuple[tuple[Kept, ...], ...]
    num_read: int


def survey(asked: Asked, tell: Tell = lambda done, number: None) -> Surveyed:
    """Walk, read what changed since the last time, put together. Raises SourceError for a folder that is not there."""
    for folder in asked.folders:
        if not os.path.isdir(folder):
            raise SourceError("missing", path=folder)
    left: list[tuple[str, Saying]] = []
    items = list(_items(asked, left))
    with opened(asked.rows) as connection:
        before = read_rows(connection)
        fresh: dict[str, Row] = {}
        files = tuple(refreshed(items, before, fresh, tell))
        num_read = len(fresh)
        sampled = Samples(before | fresh, fresh)
        groups = tuple(_groups(files, sampled))
        here = {kept.item.path for kept in files}
        gone = [path for path in before if path not in here and not os.path.lexists(path)]
        if fresh or gone:
            write_rows(connection, fresh, gone)
    inventory = Inventory(
        nbytes=sum({kept.row.inode: kept.row.size for kept in files if kept.item.role == "file"}.values()),
        models=tuple(_models(files)),
        doubles=tuple(map(_double, groups)),
        spare=tuple(_spare(files)),
        left=tuple(left),
    )
    return Surveyed(inventory, files, groups, num_read)


def roots(asked: Asked) -> Iterator[tuple[Store, str]]:
    """Every folder to look through, each once, by what it really is."""
    seen: set[tuple[str, str]] = set()
    for store in STORES:
        if not asked.stores or store.id in asked.stores:
            for place in asked.places.get(store.id, ()):
                root = os.path.realpath(place)
                if os.path.isdir(root) and (store.id, root) not in seen:
                    seen.add((store.id, root))
                    yield store, root
    for folder in asked.folders:
        yield FOLDER, os.path.realpath(folder)


def _items(asked: Asked, left: list[tuple[str, Saying]]) -> Iterator[tuple[str, Item]]:
    """Every file once: the first store that has it is the one it belongs to."""
    owned: dict[str, str] = {}
    for store, root in roots(asked):
        try:
            for item in store.walk(root):
                if owned.setdefault(item.path, f"{store.id} {root}") == f"{store.id} {root}":
                    yield store.id, item
        except WeighError as error:
            left.append((root, error.saying))
        except OSError as error:
            left.append((root, Saying("error.cannot_read", reason=error.strerror or str(error))))


def _groups(files: Iterable[Kept], sample: Samples) -> Iterator[tuple[Kept, ...]]:
    """Doubles, the largest first."""
    whole = {kept.item.path: kept for kept in files if kept.item.role == "file"}
    ones = (One(path, k.row.inode, k.row.size, k.item.claim, k.row.clone) for path, k in whole.items())
    found = [tuple(whole[one.path] for one in group) for group in doubles(ones, sample)]
    yield from sorted(found, key=lambda group: (-group[0].row.size * (len(group) - 1), group[0].item.path))


def _double(group: tuple[Kept, ...]) -> Double:
    claims = {kept.item.claim for kept in group}
    copies = tuple(Copy(store=k.store, model=k.item.model, path=k.item.path) for k in group)
    proof: Literal["claim", "sample"] = "claim" if len(claims) == 1 and None not in claims else "sample"
    return Double(nbytes=group[0].row.size, proof=proof, copies=copies)


def _spare(files: Iterable[Kept]) -> Iterator[Spare]:
    for kept in files:
        item = kept.item
        if item.role in ("partial", "orphan", "ours"):
            yield Spare(store=kept.store, model=item.model, path=item.path, nbytes=item.status.st_size, why=item.why)


def _models(files: Iterable[Kept]) -> Iterator[Listed]:
    together: dict[tuple[str, str], list[Kept]] = {}
    for kept in files:
        if kept.item.role not in ("orphan", "ours"):
            together.setdefault((kept.store, kept.item.model), []).append(kept)
    for (store, model), group in together.items():
        if (listed := _listed(store, model, group)) is not None:
            yield listed


def _listed(store: str, model: str, group: list[Kept]) -> Listed | None:
    whole = [kept for kept in group if kept.item.role == "file"]
    ruins = tuple(Broken(path=path, ruin=ruin) for path, ruin in broken(group))
    partial = sum(kept.row.size for kept in group if kept.item.role == "partial")
    weights = [kept for kept in whole if kept.traits.format is not None]
    if store in _LOOSE and not weights and not ruins and not partial:
        return None
    others = [kept for kept in whole if kept.traits.format is None]
    configured = sorted(others, key=lambda kept: kept.item.name.count("/"))  # of a pipeline its own before its parts'
    family = next((kept.traits.family for kept in (*configured, *weights) if kept.traits.family), None)
    listed = Listed(
        store=store,
        model=model,
        path=place(group),
        nbytes=sum({kept.row.inode: kept.row.size for kept in whole}.values()),
        num_files=len(whole),
        used=max((kept.row.used for kept in whole), default=0) / 1e9 or None,
        family=family,
        num_parameters=largest_set(weights),
        broken=ruins,
        partial=partial or None,
        name=decode(model),
    )
    return replace(
        listed,
        revisions=tuple(dict.fromkeys(k.item.revision for k in whole if k.item.revision)),
        formats=tuple(sorted({kept.traits.format for kept in weights if kept.traits.format})),
        quantisations=tuple(sorted({kept.traits.quantisation for kept in weights if kept.traits.quantisation})),
    )
