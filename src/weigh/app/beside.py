"""Files held against what must lie beside them: numbers that a graph keeps elsewhere, shards that a name counts."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from weigh.codecs.external_path import leaves
from weigh.core.header import Problem
from weigh.core.rule import Examined
from weigh.core.saying import Saying

OUTSIDE = frozenset({"onnx", "openvino"})  # formats whose tensors say where in which file they lie
MOST_TOLD = 5
_SHARD = r"(.*-)(\d{5})(-of-)(\d{5})(\.[A-Za-z.]+)"

SizeOf = Callable[[str], int | None]


def with_what_is_beside(files: Sequence[Examined], size_of: SizeOf) -> tuple[Examined, ...]:
    """Each with a Problem for every file it needs that is not there or too short; `size_of` is None for no file."""
    found = []
    for file in files:
        problems = tuple(_problems(file, size_of))
        found.append(msgspec.structs.replace(file, problems=(*file.problems, *problems)) if problems else file)
    return tuple(found)


def missing_shards(paths: Iterable[str]) -> Iterator[tuple[str, Problem]]:
    """Of sets that are not whole: their first file and what is missing, by the numbers in the names."""
    sets: dict[tuple[str, str, str], dict[int, str]] = {}
    for path in paths:
        if (named := re.fullmatch(_SHARD, path)) is not None:
            sets.setdefault((named[1], named[4], named[5]), {})[int(named[2])] = path
    for (_, total, _), there in sets.items():
        missing = int(total) - len(there)
        if missing > 0:
            detail = Saying("problem.beside.shards", count=missing, all=int(total))
            yield min(there.values()), Problem(kind="missing-shard", detail=detail)


def on_disk(path: str) -> int | None:
    """The size of a file on this machine."""
    try:
        return os.stat(path).st_size if os.path.isfile(path) else None
    except (OSError, ValueError):
        return None


def _problems(file: Examined, size_of: SizeOf) -> Iterator[Problem]:
    if file.format not in OUTSIDE or file.header is None or "!/" in file.path:
        return
    ends: dict[str, int] = {}
    for tensor in file.header.tensors:
        if tensor.storage and not leaves(tensor.storage):
            end = (tensor.offset or 0) + (tensor.nbytes or 0)
            ends[tensor.storage] = max(ends.get(tensor.storage, 0), end)
    for storage, end in list(ends.items())[:MOST_TOLD]:
        path = _place(file.path, storage)
        size = size_of(path)
        if size is None:
            yield Problem(kind="missing-shard", detail=Saying("problem.beside.gone", name=storage))
        elif size < end:
            detail = Saying("problem.beside.short", name=storage, size=size, needed=end)
            yield Problem(kind="truncated", detail=detail)


def _place(path: str, storage: str) -> str:
    """A path from the file's own folder, or its own name with another ending."""
    folder, slash, name = path.rpartition("/")
    if storage.startswith("."):
        return folder + slash + name.rpartition(".")[0] + storage
    return folder + slash + storage.removeprefix("./")
