"""What a reference asks for of a repository: all without doubles, one quantisation, a pattern, one file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Literal

from weigh.core.errors import SourceError
from weigh.core.value import Value
from weigh.knowledge.weight_files import Kind, kind_of
from weigh.store.quants import DEFAULT, is_quant_file, quants_of, with_tag

Why = Literal["double", "quant", "not_asked", "tool"]
_OF_TOOLS = re.compile(r"(?:^|/)(?:\.git|\.hg|\.svn|\.cache|__pycache__)/")  # what no check looks into
_GLOB = re.compile(r"[*?\[]")


class Left(Value, frozen=True, kw_only=True):
    """A file that is not taken: the same in another form, another quantisation, not asked for, or a tool's."""

    path: str
    why: Why
    kind: Kind | None = None


class Selection(Value, frozen=True, kw_only=True):
    """`tag` is the quantisation that was taken, where one was."""

    paths: tuple[str, ...]
    left: tuple[Left, ...] = ()
    tag: str | None = None


def select(
    sizes: Mapping[str, int], asked: str | None, include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Selection:
    """`asked` is what stands behind the colon of a reference. Patterns that include are taken for all that is wanted.

    Raises SourceError where nothing is left.
    """
    paths = sorted(path for path in sizes if not _OF_TOOLS.search(path))
    if include:
        chosen = Selection(paths=tuple(path for path in paths if _any(path, include)))
    elif asked is None:
        chosen = _whole(paths)
    else:
        chosen = _asked(paths, asked)
    if exclude:
        kept = tuple(path for path in chosen.paths if not _any(path, exclude))
        chosen = Selection(paths=kept, left=chosen.left, tag=chosen.tag)
    if not chosen.paths:
        raise _nothing(paths, asked, include)
    named = {one.path for one in chosen.left}
    rest = (path for path in sizes if path not in chosen.paths and path not in named)
    left = (*chosen.left, *(Left(path=path, why="tool" if _OF_TOOLS.search(path) else "not_asked") for path in rest))
    return Selection(paths=chosen.paths, left=tuple(sorted(left, key=lambda one: one.path)), tag=chosen.tag)


def _asked(paths: list[str], asked: str) -> Selection:
    if asked in paths:
        return Selection(paths=(asked,))
    if _GLOB.search(asked):
        return Selection(paths=tuple(path for path in paths if _any(path, (asked,))))
    if inside := tuple(path for path in paths if path.startswith(asked.rstrip("/") + "/")):
        return Selection(paths=inside)
    return _of_quant(paths, asked)


def _of_quant(paths: list[str], tag: str) -> Selection:
    """One quantisation with what is needed beside it."""
    chosen = with_tag(paths, tag)
    left = (Left(path=path, why="quant", kind="gguf") for path in paths if is_quant_file(path) and path not in chosen)
    return Selection(paths=chosen, left=tuple(left) if chosen else (), tag=tag if chosen else None)


def _whole(paths: list[str]) -> Selection:
    """All of it, but each weight once: safetensors before pickles, either before what other frameworks read."""
    kinds = {path: kind_of(path) for path in paths}
    held = set(kinds.values())
    if held & {"safetensors", "pickle"}:
        left = tuple(_doubles(kinds))
        gone = {one.path for one in left}
        return Selection(paths=tuple(path for path in paths if path not in gone), left=left)
    tags = quants_of(paths)
    if len(tags) > 1:
        first = next((tag for tag in DEFAULT if tag in tags), tags[0])
        return _of_quant(paths, first)
    return Selection(paths=tuple(paths))


def _doubles(kinds: Mapping[str, Kind | None]) -> list[Left]:
    """What is there once more in another form."""
    safe = [path for path, kind in kinds.items() if kind == "safetensors"]
    folders = {path.rpartition("/")[0] for path in safe}
    stems = {_stem(path) for path in safe}
    found = []
    for path, kind in kinds.items():
        if kind == "pickle":
            is_double = path.rpartition("/")[0] in folders
        elif kind in (None, "safetensors"):
            is_double = path.endswith((".ckpt", ".pt", ".pth", ".bin", ".pkl")) and _stem(path) in stems
        else:
            is_double = kind != "original" or _has_others(path, kinds)
        if is_double:
            found.append(Left(path=path, why="double", kind=kind or "pickle"))
    return found


def _has_others(path: str, kinds: Mapping[str, Kind | None]) -> bool:
    """Are the same weights here in the form that everybody loads?"""
    return any(kind in ("safetensors", "pickle") for other, kind in kinds.items() if other != path)


def _stem(path: str) -> str:
    return path.rpartition(".")[0]


def _any(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _nothing(paths: list[str], asked: str | None, include: Sequence[str]) -> SourceError:
    wanted = ", ".join(include) or asked or "*"
    if tags := quants_of(paths):
        return SourceError("store.no_quant", asked=wanted, tags=", ".join(tags))
    return SourceError("store.no_match", asked=wanted, count=len(paths))
