"""Which files of a model belong together, and which of them are missing or not what they should be."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

from weigh.app.beside import missing_shards
from weigh.app.kept import Kept
from weigh.app.traits import Ruin
from weigh.store.inventory.walk import stem_of


def largest_set(weights: Iterable[Kept]) -> int | None:
    """Parameters of the set of shards, or the one file, that has most; None where nobody could count."""
    sets: dict[tuple[str, str | None], int] = {}
    for kept in weights:
        key = stem_of(kept.item.name), kept.item.revision
        sets[key] = sets.get(key, 0) + (kept.traits.num_parameters or 0)
    return max(sets.values(), default=0) or None


def broken(group: Sequence[Kept]) -> Iterator[tuple[str, Ruin]]:
    """Paths with what is wrong with each."""
    for kept in group:
        if kept.item.role == "dangling":
            yield kept.item.path, "dangling"
        elif kept.traits.ruin is not None:
            yield kept.item.path, kept.traits.ruin
    paths = {kept.item.name: kept.item.path for kept in group if kept.item.role == "file"}  # of all revisions
    for name, _ in missing_shards(paths):
        yield paths[name], "shards"


def place(group: Sequence[Kept]) -> str:
    """The folder, or the one file, where the model lies."""
    paths = [kept.item.path for kept in group]
    if len(paths) == 1:
        return paths[0]
    folder = os.path.commonpath(paths)
    return os.path.dirname(folder) if os.path.basename(folder) == "blobs" else folder
