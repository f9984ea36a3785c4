"""A bounded walk through a store's folders: regular files alone, no link followed."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Iterator
from typing import NamedTuple

from weigh.core.errors import OverBudget
from weigh.store.inventory.store import Item, Role

MOST_FILES = 500_000
MOST_DEPTH = 16
LARGE = 1 << 20  # from so many bytes on a file counts whatever it is called
OURS = ".weigh-reclaim"  # the end of a name that a reclaim gives for the time of one rename
# The suffixes that loaders of weights go by (ComfyUI's folder_paths, llama.cpp, the hubs' libraries).
_WEIGHTS = re.compile(
    r".*\.(?:safetensors|sft|gguf|ggml|bin|pt|pth|ckpt|pkl|onnx|h5|hdf5|keras|tflite|msgpack|npz|pt2|ptl|pte|nemo"
    r"|mlmodel|mnn|rknn|engine|pdparams|params|joblib|weights|llamafile)",
    re.IGNORECASE | re.DOTALL,
)
_SHARD = re.compile(r"-\d{5}-of-\d{5}$")
_WHOLE = frozenset({"config.json", "model_index.json", "adapter_config.json", "configuration.json", "modules.json"})
_WHOLE_FORMATS = re.compile(r"saved_model\.pb|.*\.index\.json", re.DOTALL)
_PASSED = frozenset({".git", ".hg", ".svn", "__pycache__", "node_modules", "venv", ".venv", "site-packages"})
_UNFINISHED = re.compile(r"(?<=[^/])\.(?:part|partial|incomplete|crdownload|aria2|download|downloadInProgress|tmp)$")


class Seen(NamedTuple):
    """A regular file: its path, the same below the root with `/`, and its status."""

    path: str
    name: str
    status: os.stat_result


def scan(folder: str) -> list[os.DirEntry[str]]:
    """What lies in a folder, sorted. Raises OSError."""
    with os.scandir(folder) as listing:
        return sorted(listing, key=lambda entry: entry.name)


def names_in(folder: str) -> list[os.DirEntry[str]]:
    """The same; nothing where the folder is not there or may not be read."""
    try:
        return scan(folder)
    except OSError:
        return []


def folders_in(folder: str) -> Iterator[os.DirEntry[str]]:
    """The folders in a folder, links left out."""
    return (entry for entry in names_in(folder) if entry.is_dir(follow_symlinks=False))


def status_of(entry: os.DirEntry[str]) -> os.stat_result | None:
    """That of a regular file; None for anything else and for what went away meanwhile."""
    try:
        status = os.lstat(entry.path) if sys.platform == "win32" else entry.stat(follow_symlinks=False)
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def files_in(folder: str) -> Iterator[Seen]:
    """The regular files of one folder."""
    for entry in names_in(folder):
        if (status := status_of(entry)) is not None:
            yield Seen(entry.path, entry.name, status)


def file_at(path: str) -> Seen | None:
    """A regular file by its path, which no link is the end of."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    return Seen(os.path.realpath(path), os.path.basename(path), status) if stat.S_ISREG(status.st_mode) else None


def files_below(root: str) -> Iterator[Seen]:
    """All regular files, folder by folder; what may not be read is passed over. Raises OverBudget."""
    for entry, name in entries_below(root, strict=False):
        if (status := status_of(entry)) is not None:
            yield Seen(entry.path, name, status)


def entries_below(root: str, *, strict: bool) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Everything but folders, with its path below the root. Raises OverBudget, and OSError where `strict`."""
    pending = [(root, "", 0)]
    count = 0
    while pending:
        folder, stem, depth = pending.pop()
        for entry in scan(folder) if strict else names_in(folder):
            if not entry.is_dir(follow_symlinks=False):
                count += 1
                if count > MOST_FILES:
                    raise OverBudget("too_many_files", path=root, most=MOST_FILES)
                yield entry, stem + entry.name
            elif entry.name not in _PASSED:
                if depth == MOST_DEPTH:
                    raise OverBudget("inventory.depth", path=entry.path, most=MOST_DEPTH)
                pending.append((entry.path, f"{stem}{entry.name}/", depth + 1))


def is_weights(name: str, nbytes: int) -> bool:
    """By its name or its bytes: may it hold weights?"""
    return nbytes >= LARGE or named_as_weights(name)


def named_as_weights(name: str) -> bool:
    """By its suffix: does it hold weights?"""
    return _WEIGHTS.fullmatch(name) is not None


def is_partial(name: str) -> bool:
    """Does a download that is under way call a file so?"""
    return _UNFINISHED.search(name) is not None


def single(seen: Seen, name: str | None = None) -> Item:
    """A file that is a model by itself."""
    base = seen.name.rpartition("/")[2]
    model = stem_of(seen.name if name is None else name)
    return Item(seen.path, model, base, seen.status, role_of(base))


def role_of(name: str) -> Role:
    """Of a file in a store whose programs leave nothing but models, unfinished downloads and what we left."""
    if name.endswith(OURS):
        return "ours"
    return "partial" if is_partial(name) else "file"


def stem_of(name: str) -> str:
    """What a file is called without suffix and number: `a/model-00001-of-00002.gguf` is `a/model`."""
    stem = _UNFINISHED.sub("", name)
    if _WEIGHTS.fullmatch(stem):
        stem = os.path.splitext(stem)[0]
    return _SHARD.sub("", stem) or name


def models_below(root: str) -> Iterator[Item]:
    """Files put together to models: a folder with a configuration is one, so is any other file of weights."""
    files = list(files_below(root))
    whole = {folder for seen in files if (folder := _whole_folder(seen.name)) is not None}
    for seen in files:
        base = seen.name.rpartition("/")[2]
        top = _top(seen.name, whole)
        if top is not None:
            name = seen.name[len(top) + 1 :] if top else seen.name
            yield Item(seen.path, top or os.path.basename(root), name, seen.status, role_of(base))
        elif is_weights(base, seen.status.st_size) or is_partial(base) or base.endswith(OURS):
            yield single(seen)


def _whole_folder(name: str) -> str | None:
    folder, _, base = name.rpartition("/")
    return folder if base in _WHOLE or _WHOLE_FORMATS.fullmatch(base) else None


def _top(name: str, whole: set[str]) -> str | None:
    """The outermost folder above it that is a model; None where none is."""
    if "" in whole:
        return ""
    at = name.find("/")
    while at >= 0:
        if name[:at] in whole:
            return name[:at]
        at = name.find("/", at + 1)
    return None
