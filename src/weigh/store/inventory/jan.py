"""Jan: a `model.yml` a model, which says where its file lies."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import Seen, file_at, files_below, role_of

LONGEST = 1 << 16  # bytes of a model.yml
_NOTE = "model.yml"
_PATH = re.compile(r"^(?:model_path|mmproj_path):[ \t]*(['\"]?)(?P<path>[^\r\n]+?)\1[ \t]*$", re.MULTILINE)


def walk(root: str) -> Iterator[Item]:
    """The files of each model, wherever its note says that they lie; one whose file is not there dangles."""
    home = os.path.join(root, "llamacpp", "models")
    for seen in files_below(home):
        folder, _, name = seen.name.rpartition("/")
        if name != _NOTE:
            yield Item(seen.path, folder or name, name, seen.status, role_of(name))
            continue
        paths = list(_paths(root, seen))
        if not all(map(os.path.exists, paths)):
            yield Item(seen.path, folder, name, seen.status, "dangling")
        for other in map(file_at, paths):
            if other is not None and not other.path.startswith(os.path.join(os.path.realpath(home), "")):
                yield Item(other.path, folder, other.name, other.status)


def _paths(root: str, note: Seen) -> Iterator[str]:
    """What the note names, from the data folder on."""
    try:
        with open(note.path, encoding="utf-8", errors="replace") as file:
            text = file.read(LONGEST)
    except OSError:
        return
    for named in _PATH.finditer(text):
        if "\0" not in named["path"]:
            yield os.path.join(root, named["path"])


STORE = Store(
    id="jan",
    places=(
        ("$XDG_DATA_HOME/Jan/data", "~/.local/share/Jan/data"),
        ("~/Library/Application Support/Jan/data",),
        ("$APPDATA/Jan/data",),
    ),
    walk=walk,
)
