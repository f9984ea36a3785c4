"""The cache of modelscope 1.38 and later: real files, one full copy a revision's name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import OURS, files_below, folders_in
from weigh.store.layouts.modelscope import LAYOUT

# <file>.incomplete of one stream, <file>_<start>_<end> and <file>.parallel_tmp of several
_PIECE = re.compile(r"(?P<whole>.+?)(?:\.incomplete|\.parallel_tmp|_\d+_\d+)", re.DOTALL)


def walk(root: str) -> Iterator[Item]:
    """The files of every revision; another's are replaced by it and never written into."""
    for home in folders_in(os.path.join(root, "models")):
        model = home.name.replace("--", "/", 1)
        for revision in folders_in(os.path.join(home.path, "snapshots")):
            files = list(files_below(revision.path))
            names = {seen.name for seen in files}
            for seen in files:
                yield _item(Item(seen.path, model, seen.name, seen.status, revision=revision.name), names)


def _item(item: Item, names: set[str]) -> Item:
    if item.name.endswith(OURS):
        return item._replace(role="ours", why="cut-off")
    piece = _PIECE.fullmatch(item.name)
    if piece is None or (item.name[-1].isdigit() and f"{piece['whole']}.parallel_tmp" not in names):
        return item._replace(is_replaced=True)
    if piece["whole"] in names and not item.name[-1].isdigit():
        return item._replace(role="orphan", why="whole-is-there")
    return item._replace(role="partial")


STORE = Store(id="ms", places=(LAYOUT.roots,), walk=walk)
