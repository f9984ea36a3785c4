"""Ollama's store: blobs called by their sha256, and manifests that say which of them make a model."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from weigh.core.errors import OverBudget
from weigh.store.inventory.store import Item, Store
from weigh.store.inventory.walk import OURS, entries_below, files_in, status_of

LONGEST = 1 << 20  # bytes of a manifest
_BLOB = re.compile(r"sha256-([0-9a-f]{64})")
_PARTIAL = re.compile(r"(sha256-[0-9a-f]{64})-partial(?:-\d+)?(?:\.json)?")
_HOME = "registry.ollama.ai/library/"
_STOCK = "registry.ollama.ai/"


class Layer(msgspec.Struct, frozen=True):
    """As a manifest has it; other keys are passed over."""

    digest: str
    mediaType: str = ""


class Manifest(msgspec.Struct, frozen=True):
    """What one tag of a model is made of."""

    layers: list[Layer]
    config: Layer | None = None


class Named(NamedTuple):
    """A blob's use: by which model, as what, and the manifest that says so."""

    model: str
    name: str
    path: str
    status: os.stat_result


def walk(root: str) -> Iterator[Item]:
    """Every blob by each model that names it; no orphans while a manifest is unreadable or a pull is open."""
    blobs = {seen.name: seen for seen in files_in(os.path.join(root, "blobs"))}
    uses, is_sure = _uses(root)
    is_sure = is_sure and not any(_PARTIAL.fullmatch(name) for name in blobs)
    for name, seen in blobs.items():
        yield from _blob(Item(seen.path, "", name, seen.status), set(blobs), uses, is_sure=is_sure)
    for name in uses.keys() - blobs.keys():
        for use in uses[name]:
            yield Item(use.path, use.model, name, use.status, "dangling")


def _blob(item: Item, names: set[str], uses: dict[str, list[Named]], *, is_sure: bool) -> Iterator[Item]:
    if (blob := _BLOB.fullmatch(item.name)) is not None:
        for use in uses.get(item.name, ()):
            yield item._replace(model=use.model, name=use.name, claim=blob[1], is_replaced=True)
        if item.name not in uses:
            yield item._replace(role="orphan", why="unreferenced") if is_sure else item._replace(role="partial")
    elif (part := _PARTIAL.fullmatch(item.name)) is not None:
        done = part[1] in names
        yield item._replace(role="orphan", why="whole-is-there") if done else item._replace(role="partial")
    elif item.name.endswith(OURS):
        yield item._replace(role="ours", why="cut-off")


def _uses(root: str) -> tuple[dict[str, list[Named]], bool]:
    """What every blob is for, and whether every manifest could be read."""
    uses: dict[str, list[Named]] = {}
    is_sure = True
    top = os.path.join(root, "manifests")
    try:
        for entry, name in entries_below(top, strict=True):
            status = status_of(entry)
            layers = _layers(entry.path, status)
            is_sure = is_sure and layers is not None
            for layer in layers or ():
                use = Named(_model(name), _name(layer), entry.path, status or os.lstat(entry.path))
                uses.setdefault(layer.digest.replace(":", "-"), []).append(use)
    except (OSError, OverBudget):
        is_sure = False
    return uses, is_sure


def _layers(path: str, status: os.stat_result | None) -> list[Layer] | None:
    """None for a manifest that cannot be read."""
    if status is None or status.st_size > LONGEST:
        return None
    try:
        with open(path, "rb") as file:
            manifest = msgspec.json.decode(file.read(LONGEST), type=Manifest)
    except (OSError, msgspec.MsgspecError, RecursionError):
        return None
    return [*manifest.layers, *([manifest.config] if manifest.config is not None else [])]


def _model(name: str) -> str:
    """As `ollama list` says it: host and library left out where they are the usual ones."""
    path, _, tag = name.rpartition("/")
    return f"{path.removeprefix(_HOME).removeprefix(_STOCK)}:{tag}"


def _name(layer: Layer) -> str:
    return layer.mediaType.rpartition(".")[2] or "layer"


STORE = Store(
    id="ollama", places=(("$OLLAMA_MODELS", "~/.ollama/models"), ("/usr/share/ollama/.ollama/models",)), walk=walk
)
