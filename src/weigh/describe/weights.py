"""Which of many files make up one set of weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from weigh.core.header import Header
from weigh.core.model import ModelFile
from weigh.core.tensors import TensorInfo
from weigh.describe.parameters import distinct

# Of a folder that holds the same weights twice, the first of these counts.
PREFERRED = ("safetensors", "gguf", "pytorch", "pytorch-legacy", "torchscript", "pickle")
_VARIANT = re.compile(r"\.(?:fp16|bf16|fp32|fp8|non_ema|ema)[.-][^/]*$")
_SHARD = re.compile(r"^(?P<stem>.*)-(?P<index>\d{5})-of-(?P<count>\d{5})(?P<end>\.[^/]*)$")


def one_set(files: Iterable[ModelFile], folder: Header | None) -> list[ModelFile]:
    """The files the index names; else the shards, or the largest, of the best format. Of a pipeline, for each part."""
    holding = [file for file in files if file.header is not None and file.header.tensors]
    index = folder.metadata.get("index") if folder is not None else None
    named = index.get("files") if isinstance(index, Mapping) else None
    if isinstance(named, tuple) and (listed := [file for file in holding if file.path in named]):
        return listed
    if folder is not None and folder.format == "diffusers" and (parts := _parts(holding)):
        return [file for part in parts for file in _preferred(part, whole_folder=False)]
    return _preferred(holding, whole_folder=folder is not None)


def tensors_of(weights: Iterable[ModelFile]) -> list[TensorInfo]:
    """All their tensors; where the files lie in several folders, each name is led by its folder's."""
    files = [file for file in weights if file.header is not None]
    several = len({_folder_of(file) for file in files}) > 1
    tensors: list[TensorInfo] = []
    for file in files:
        mine = distinct(file.header.tensors) if file.header is not None else []
        stem = _folder_of(file).replace("/", ".") + "."
        tensors += [msgspec.structs.replace(one, name=stem + one.name) for one in mine] if several else mine
    return tensors


def missing_shards(files: Iterable[ModelFile]) -> tuple[int, int] | None:
    """How many shards of a set's are not among the files, and how many there should be; None for a whole set."""
    seen: dict[tuple[str, str, int], set[int]] = {}
    for file in files:
        if (shard := _SHARD.match(file.path)) is not None and file.header is not None:
            seen.setdefault((shard["stem"], shard["end"], int(shard["count"])), set()).add(int(shard["index"]))
    gaps = [(count - len(found), count) for (_, _, count), found in seen.items() if len(found) < count]
    return max(gaps, default=None)


def _parts(files: list[ModelFile]) -> list[list[ModelFile]]:
    """The files of each folder below the root, without the copies in fewer bits that lie beside the whole."""
    folders: dict[str, list[ModelFile]] = {}
    for file in files:
        if folder := _folder_of(file):
            folders.setdefault(folder, []).append(file)
    return [[one for one in part if not _VARIANT.search(one.path)] or part for part in folders.values()]


def _preferred(files: list[ModelFile], *, whole_folder: bool) -> list[ModelFile]:
    for format in PREFERRED:
        same = [file for file in files if file.format == format]
        if same:
            return _together(same, whole_folder=whole_folder)
    return files


def _folder_of(file: ModelFile) -> str:
    return file.path.rpartition("/")[0]


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
