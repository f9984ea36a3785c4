"""LightGBM's models: text, a header of keys and then a block for each tree."""

from __future__ import annotations

import re
from collections.abc import Iterator

from weigh.codecs.cursor import Cursor
from weigh.core.errors import Malformed
from weigh.core.format import Format
from weigh.core.header import Header, LongArray, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source

MOST_KEYS = 64
MOST_LINE = 16 << 20
SHORT = 16

_START = re.compile(rb"tree\r?\nversion=v?\d+\r?\n")
_NUMBER = re.compile(r"-?\d{1,18}")


def matches(source: Source) -> bool:
    """The first two lines."""
    return _START.match(source.read(0, 64)) is not None


def read(source: Source) -> Header:
    """Objective, classes, features and trees, by the header. Raises FormatError."""
    keys = _keys(source)
    metadata: dict[str, Meta] = {}
    if "objective" in keys:
        metadata["objective"] = keys["objective"]
    for key, name, more in (
        ("num_class", "num_classes", 0),
        ("max_feature_idx", "num_features", 1),
        ("num_tree_per_iteration", "num_trees_per_iteration", 0),
    ):
        if _NUMBER.fullmatch(keys.get(key, "")):
            metadata[name] = int(keys[key]) + more
    if "tree_sizes" in keys:
        metadata["num_trees"] = len(keys["tree_sizes"].split())
    if names := tuple(keys.get("feature_names", "").split()):
        long = LongArray(type="string", count=len(names), first=names[:SHORT])
        metadata["feature_names"] = names if len(names) <= SHORT else long
    return Header(format="lightgbm", version=keys.get("version"), metadata=metadata)


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Nothing runs in a table of trees."""
    return iter(())


def _keys(source: Source) -> dict[str, str]:
    """Up to the empty line before the first tree."""
    cursor = Cursor(source)
    cursor.line("tree")
    keys: dict[str, str] = {}
    for _ in range(MOST_KEYS):
        line = cursor.line("header", most=MOST_LINE).decode("utf-8", "backslashreplace").strip()
        if not line:
            return keys
        key, _, value = line.partition("=")
        keys.setdefault(key, value)
    raise Malformed("lightgbm.header", path=source.path, offset=cursor.offset)


FORMAT = Format(name="lightgbm", suffixes=(".txt", ".model", ".lgb"), matches=matches, read=read, examine=examine)
