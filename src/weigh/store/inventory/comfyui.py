"""ComfyUI's models folder, by what each file is for, and the folders that its `extra_model_paths.yaml` names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from weigh.store.inventory.named import Named, absolute, models_in, settings_text
from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import models_below

_SETTINGS = ("extra_model_paths.yaml", "extra_model_paths.yml", "extra_models_config.yaml")
# What a group says beside folders of models.
_OTHERS = frozenset({"base_path", "is_default", "custom_nodes", "configs", "download_model_base"})
_ROW = re.compile(r"(?P<indent>[ \t]*)(?P<key>[A-Za-z0-9_.-]+)[ \t]*:(?:[ \t]+(?P<value>.*))?$")
_BLOCK = re.compile(r"[|>][+-]?\d?")
_COMMENT = re.compile(r"(?:^|[ \t])#.*$")


class Group(NamedTuple):
    """One section of the file: where its paths begin, and the folders for each kind of model."""

    base: str
    folders: list[tuple[str, str]]


def walk(root: str) -> Iterator[Item]:
    """Its own folder first."""
    yield from models_below(os.path.join(root, "models"))
    yield from models_in(root, _named(root))


def groups_of(text: str) -> list[Group]:
    """The sections of the file, by the part of YAML that it is written in: keys, values, and blocks of lines.

    >>> groups_of("a:\\n  base_path: /x\\n  loras: |\\n    one\\n    two # here\\n")
    [Group(base='/x', folders=[('loras', 'one'), ('loras', 'two')])]
    """
    groups: list[Group] = []
    block: tuple[str, int] | None = None  # the key whose lines these are, and how far it stands in
    for line in text.splitlines():
        line = _COMMENT.sub("", line).rstrip()
        stands = len(line) - len(line.lstrip())
        if block is not None and line and stands > block[1]:
            groups[-1].folders.append((block[0], _bare(line.strip())))
            continue
        row = _ROW.fullmatch(line)
        block = block if not line else None
        if row is None:
            continue
        if not row["indent"]:
            groups.append(Group("", []))
        elif groups:
            value = row["value"] or ""
            block = (row["key"], stands) if not value or _BLOCK.fullmatch(value.strip()) else None
            groups[-1:] = [_with(groups[-1], row["key"], _bare(value.strip()))] if block is None else groups[-1:]
    return groups


def _with(group: Group, key: str, value: str) -> Group:
    if key == "base_path":
        return group._replace(base=value)
    return group._replace(folders=[*group.folders, (key, value)])


def _bare(value: str) -> str:
    """Without quotes, and without the hyphen of a list."""
    value = value.removeprefix("- ").strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def _named(root: str) -> Iterator[Named]:
    for name in _SETTINGS:
        for group in groups_of(settings_text(os.path.join(root, name))):
            base = absolute(root, group.base) if group.base else root
            for kind, folder in group.folders:
                path = absolute(base, folder) if base is not None and kind not in _OTHERS else None
                if path is not None:
                    yield Named(kind, path)


STORE = Store(
    id="comfyui",
    places=(("$COMFYUI_PATH", "~/ComfyUI"), ("~/Documents/ComfyUI",)),
    walk=walk,
)
