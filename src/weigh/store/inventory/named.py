"""Folders beside a program's own that its settings name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from weigh.store.inventory.store import Item
from weigh.store.inventory.walk import models_below

LONGEST = 1 << 18  # bytes of a file of settings
MOST = 200  # folders of one


class Named(NamedTuple):
    """A folder of models; `kind` is what they are for, empty where the folder is sorted by that itself."""

    kind: str
    path: str


def settings_text(path: str) -> str:
    """What a file of settings says; empty where there is none or it is too long to be one."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(LONGEST + 1)
    except (OSError, ValueError):
        return ""
    return text if len(text) <= LONGEST else ""


def models_in(root: str, folders: Iterable[Named]) -> Iterator[Item]:
    """The models of each folder but the program's own and what is above it; a file in two of them once."""
    seen: set[str] = set()
    for kind, path in list(folders)[:MOST]:
        folder = os.path.realpath(path)
        if not os.path.isdir(folder) or os.path.join(root, "").startswith(os.path.join(folder, "")):
            continue
        for item in models_below(folder):
            if item.path not in seen:
                seen.add(item.path)
                yield item._replace(model=f"{kind}/{item.model}" if kind else item.model)


def absolute(base: str, path: str) -> str | None:
    """A path as the settings write it, from the folder that it is relative to; None for what is none."""
    if not path or "\0" in path or "$" in path or "%" in path:
        return None
    return os.path.normpath(os.path.join(base, os.path.expanduser(path)))
