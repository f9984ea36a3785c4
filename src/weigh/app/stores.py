"""Where this machine keeps models, as values that the use cases are handed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from weigh.core.value import Value
from weigh.store.digest import Digest
from weigh.store.layouts import FOLDER, LAYOUTS
from weigh.store.layouts.layout import Address, Layout
from weigh.store.plan import Item
from weigh.store.quarantine import Quarantine, near


class Stores(Value, frozen=True, kw_only=True):
    """`roots` are those of the layouts by their ids; `home` is this program's own folder."""

    roots: Mapping[str, str]
    home: str


class Goal(Value, frozen=True, kw_only=True):
    """Where a pull goes: a layout and its root."""

    layout: Layout
    root: str

    def quarantine(self, stores: Stores) -> Quarantine:
        """Where what is fetched waits, on the same file system."""
        return near(self.root, os.path.join(stores.home, "quarantine"))


def goal_of(hub: str, stores: Stores, *, layout: str | None, folder: str | None) -> Goal:
    """The folder asked for, else the layout asked for, else the one of the hub; an address goes to where we are."""
    if folder is not None:
        return Goal(layout=FOLDER, root=os.path.abspath(os.path.expanduser(folder)))
    for one in LAYOUTS:
        if one.id == (layout or hub):
            return Goal(layout=one, root=stores.roots[one.id])
    return Goal(layout=FOLDER, root=os.getcwd())


def room_at(path: str) -> int | None:
    """Bytes free where this folder is or would be; None where the system does not say."""
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return None


class Finder:
    """Tells where a content is on this machine, by names and sizes alone; whoever uses it verifies it."""

    def __init__(self, goal: Goal, stores: Stores, address: Address) -> None:
        self._goal = goal
        self._stores = stores
        self._address = address
        self.quarantine = goal.quarantine(stores)
        self._blobs = {
            digest: path for layout in LAYOUTS for digest, path in layout.contents(stores.roots.get(layout.id, ""))
        }

    def find(self, path: str, nbytes: int, digest: Digest) -> str | None:
        """The file of this content and size; None where there is none."""
        candidates = [self.quarantine.object(digest)]
        if digest.is_of_content:
            candidates.append(self._goal.layout.find(self._goal.root, self._address, path, digest))
            candidates += [
                layout.find(self._stores.roots[layout.id], self._address, path, digest)
                for layout in LAYOUTS
                if layout.id in self._stores.roots
            ]
            candidates += [self._blobs[digest]] if digest in self._blobs else []
        return next((one for one in candidates if _has_size(one, nbytes)), None)

    def place_of(self, item: Item) -> str | None:
        """The same for a file that is wanted, under either of its hashes."""
        found = self.find(item.path, item.nbytes or 0, item.digest)
        return found or (self.find(item.path, item.nbytes or 0, item.blob) if item.blob is not None else None)


def _has_size(path: str, nbytes: int) -> bool:
    try:
        return os.path.isfile(path) and os.stat(path).st_size == nbytes
    except (OSError, ValueError):
        return False
