"""torch.hub's checkpoints: files that are moved into place whole, often with a piece of their sha256 in the name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import Seen, files_in, single

# <file>.<32 digits>.partial: each run has a name of its own
_UNFINISHED = re.compile(r".+\.[0-9a-f]{32}\.partial", re.DOTALL)


def walk(root: str) -> Iterator[Item]:
    """Each file by itself."""
    return (_item(seen) for seen in files_in(os.path.join(root, "hub", "checkpoints")))


def _item(seen: Seen) -> Item:
    item = single(seen)
    return item._replace(role="orphan", why="never-resumed") if _UNFINISHED.fullmatch(seen.name) else item


STORE = Store(id="torch-hub", places=(("$TORCH_HOME", "$XDG_CACHE_HOME/torch", "~/.cache/torch"),), walk=walk)
