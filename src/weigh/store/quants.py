"""One quantisation of several: its shards, the projector that fits it best, and the small files beside it.

The rule is llama.cpp's (common/download.cpp): the label in the name before a point or a hyphen, sidecars aside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

DEFAULT = ("Q4_K_M", "Q8_0")
_SHARD = re.compile(r"(.*)-(\d{5})-of-(\d{5})(\.gguf)")
_SIDECAR = re.compile(r"mmproj|(?:^|/)(?:mtp-|eagle3-|dflash-|dspark-)|imatrix", re.I)
_LABEL = re.compile(
    r"(?:^|[-._/])((?:UD-)?(?:I?Q\d(?:_[0-9A-Z]+)*|TQ\d_\d|MXFP4(?:_MOE)?|NVFP4|BF16|FP?16|FP?32))(?=[-.])", re.I
)
_BESIDE = re.compile(
    r"(?:^|/)(?:README\.md|LICEN[CS]E[^/]*|NOTICE[^/]*|USE_POLICY\.md|config\.json|generation_config\.json|params|"
    r"template|system|[^/]*tokenizer[^/]*|vocab\.(?:json|txt)|merges\.txt|special_tokens_map\.json|"
    r"added_tokens\.json|chat_template[^/]*|preprocessor_config\.json|processor_config\.json)$",
    re.I,
)


def is_quant_file(path: str) -> bool:
    """Is it weights in GGUF, and no sidecar of such?"""
    return path.lower().endswith(".gguf") and not _SIDECAR.search(path)


def quants_of(paths: Iterable[str]) -> tuple[str, ...]:
    """The labels of the files, each once, as they are written."""
    found: dict[str, str] = {}
    for path in paths:
        if is_quant_file(path) and (label := _label(path)) is not None:
            found.setdefault(label.upper(), label)
    return tuple(found[key] for key in sorted(found))


def with_tag(paths: Sequence[str], tag: str) -> tuple[str, ...]:
    """The files of the quantisation that is called so; none where there is no such."""
    pattern = re.compile(rf"{re.escape(tag)}[.-]", re.I)
    first = next((path for path in sorted(paths) if is_quant_file(path) and pattern.search(path)), None)
    if first is None:
        return ()
    chosen = {*_shards(first, paths)}
    if (projector := _projector(first, paths)) is not None:
        chosen.add(projector)
    here = first.rpartition("/")[0]
    chosen |= {path for path in paths if _BESIDE.search(path) and path.rpartition("/")[0] in ("", here)}
    return tuple(sorted(chosen))


def _shards(path: str, paths: Sequence[str]) -> list[str]:
    if (own := _SHARD.fullmatch(path)) is None:
        return [path]
    stem, count = own[1], own[3]
    parts = ((other, _SHARD.fullmatch(other)) for other in paths)
    return [other for other, found in parts if found is not None and (found[1], found[3]) == (stem, count)]


def _projector(path: str, paths: Sequence[str]) -> str | None:
    """The nearest folder, then the nearest number of bits; the wider of two that are as near."""
    candidates = [other for other in paths if other.lower().endswith(".gguf") and "mmproj" in other.lower()]
    return min(
        candidates, key=lambda other: (_steps(path, other), abs(_bits(other) - _bits(path)), other), default=None
    )


def _steps(path: str, other: str) -> int:
    """Folders to go up and down from one to the other."""
    here, there = path.split("/")[:-1], other.split("/")[:-1]
    shared = 0
    while shared < min(len(here), len(there)) and here[shared] == there[shared]:
        shared += 1
    return len(here) + len(there) - 2 * shared


def _label(path: str) -> str | None:
    found = _LABEL.findall(path)
    return found[-1] if found else None


def _bits(path: str) -> int:
    label = _label(path) or "F16"
    digits = re.search(r"\d+", label)
    return int(digits.group()) if digits is not None else 16
