"""What is known of each file of the inventory, read anew where the file is not the one it was."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from weigh.app.traits import NOTHING, Traits, from_bytes, to_bytes, traits_of
from weigh.store.doubles import One, sample_of
from weigh.store.inventory.store import Item
from weigh.store.rows import Row, identity

Tell = Callable[[int, int], None]


class Kept(NamedTuple):
    """A file, whose store it is in, and what is known of it."""

    store: str
    item: Item
    row: Row
    traits: Traits


def refreshed(
    items: list[tuple[str, Item]], before: Mapping[str, Row], fresh: dict[str, Row], tell: Tell
) -> Iterator[Kept]:
    """Every file with its row, read anew where it is not the one it was."""
    for done, (store, item) in enumerate(items):
        row = fresh.get(item.path) or before.get(item.path)
        traits = from_bytes(row.traits) if row is not None and _is_row_of(row, item) else None
        if row is None or traits is None:
            traits = (
                traits_of(item.path, item.name, item.model, item.status.st_size) if item.role == "file" else NOTHING
            )
            row = _new_row(item, traits)
            fresh[item.path] = row
        elif item.status.st_atime_ns != row.left:
            row = row._replace(used=item.status.st_atime_ns, left=item.status.st_atime_ns)
            fresh[item.path] = row
        yield Kept(store, item, row, traits)
        tell(done + 1, len(items))


class Samples:
    """Samples of files, those that are kept and those that are taken now."""

    def __init__(self, rows: Mapping[str, Row], fresh: dict[str, Row]) -> None:
        self._rows, self._fresh = rows, fresh

    def __call__(self, one: One) -> str | None:
        row = self._fresh.get(one.path) or self._rows[one.path]
        if row.sample is None:
            try:
                row = row._replace(sample=sample_of(one.path))
            except OSError:
                return None
            self._fresh[one.path] = row._replace(left=_atime(one.path, row.left))
        return row.sample


def _is_row_of(row: Row, item: Item) -> bool:
    return identity(item.status) == (row.inode, row.size, row.mtime)


def _new_row(item: Item, traits: Traits) -> Row:
    used = max(item.status.st_atime_ns, item.status.st_mtime_ns)
    return Row(*identity(item.status), _atime(item.path, used), used, to_bytes(traits))


def _atime(path: str, otherwise: int) -> int:
    """What our own reading made of it."""
    try:
        return os.lstat(path).st_atime_ns
    except OSError:
        return otherwise
