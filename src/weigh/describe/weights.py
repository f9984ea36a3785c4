"""Which of many files make up one set of weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from weigh.core.header import Header
from weigh.core.model import ModelFile

# Of a folder that holds the same weights twice, the first of these counts.
PREFERRED = ("safetensors", "gguf", "pytorch", "pytorch-legacy", "torchscript", "pickle")
_SHARD = re.compile(r"^(?P<stem>.*)-(?P<index>\d{5})-of-(?P<count>\d{5})(?P<end>\.[^/]*)$")


def one_set(files: Iterable[ModelFile], folder: Header | None) -> list[ModelFile]:
    """The files the index names; else the shards, or the largest, of the best format."""
    holding = [file for file in files if file.header is not None and file.header.tensors]
    index = folder.metadata.get("index") if folder is not None else None
    named = index.get("files") if isinstance(index, Mapping) else None
    if isinstance(named, tuple) and (listed := [file for file in holding if file.path in named]):
        return listed
    for format in PREFERRED:
        same = [file for file in holding if file.format == format]
        if same:
            return _together(same, whole_folder=folder is not None)
    return holding


def missing_shards(files: Iterable[ModelFile]) -> tuple[int, int] | None:
    """How many shards of a set's are not among the files, and how many there should be; None for a whole set."""
    seen: dict[tuple[str, str, int], set[int]] = {}
    for file in files:
        if (shard := _SHARD.match(file.path)) is not None and file.header is not None:
            seen.setdefault((shard["stem"], shard["end"], int(shard["count"])), set()).add(int(shard["index"]))
    gaps = [(count - len(found), count) for (_, _, count), found in seen.items() if len(found) < count]
    return max(gaps, default=None)


def _together(files: list[ModelFile], *, whole_folder: bool) -> list[ModelFile]:
    """Files that belong together: shards by their number; beside a config.json all at the root."""
    models = [file for file in files if not _is_projector(file)] or files
    largest = max(models, key=lambda file: file.nbytes)
    shard = _SHARD.match(largest.path)
    if shard is not None:
        return [file for file in models if _is_of(shard, file.path)]
    if whole_folder and largest.format != "gguf" and "/" not in largest.path:
        known = ("model", "pytorch_model", "adapter_model", "consolidated")
        main = [file for file in models if "/" not in file.path and file.path.startswith(known)]
        whole = [file for file in main if file.path.startswith("consolidated")]
        return [file for file in main if file not in whole] or whole or [largest]
    return [largest]


def _is_of(shard: re.Match[str], path: str) -> bool:
    other = _SHARD.match(path)
    return other is not None and all(other[part] == shard[part] for part in ("stem", "count", "end"))


def _is_projector(file: ModelFile) -> bool:
    """What sees or hears beside a GGUF model."""
    return file.header is not None and file.header.metadata.get("general.architecture") == "clip"
