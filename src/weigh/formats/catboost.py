"""CatBoost's models: four letters, a length, and a flatbuffer with the trees and what was said at training.

The tables are those of catboost/libs/model/flatbuffers/model.fbs and ctr_data.fbs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from weigh.codecs.cursor import Cursor
from weigh.codecs.json import decode
from weigh.core.errors import FormatError, Malformed
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source

MOST_PAIRS = 1000
MOST_TEXT = 4 << 20
SMALLEST = 16  # bytes of a flatbuffer with one table
START = 8  # behind the letters and the length, where the flatbuffer begins

_VERSION = re.compile(r"(\d+\.\d+(?:\.\d+)*)")
_FEATURES = {"num_categorical_features": 4, "num_float_features": 5}  # fields of the trees' table


def matches(source: Source) -> bool:
    """The letters, and a length that a model can have."""
    head = source.read(0, START)
    return head[:4] == b"CBM1" and int.from_bytes(head[4:], "little") >= SMALLEST


def read(source: Source) -> Header:
    """Trees, features, objective, version. Raises FormatError."""
    flat = _Flat(source)
    root = flat.table(START)
    metadata: dict[str, Meta] = {}
    trees = flat.field(root, 1)
    if trees is not None:
        table = flat.table(trees)
        sizes = flat.field(table, 2)
        if sizes is not None:
            metadata["num_trees"] = flat.vector(sizes)[0]
        for name, number in _FEATURES.items():
            if (vector := flat.field(table, number)) is not None and (count := flat.vector(vector)[0]):
                metadata[name] = count
    metadata |= _said(flat, root)
    version = metadata.get("version")
    return Header(format="catboost", version=version if isinstance(version, str) else None, metadata=metadata)


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Nothing runs in a table of trees."""
    return iter(())


class _Flat:
    """A flatbuffer's tables, as far as is needed here; every offset is held against the file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.end = START + Cursor(source, offset=4).u32("length of the model")

    def number(self, at: int, width: int) -> int:
        cursor = Cursor(self.source, offset=at, end=min(at + width, self.end))
        return int.from_bytes(cursor.bytes(width, "flatbuffer"), "little")

    def table(self, at: int) -> int:
        """Where the table, vector or string is that the offset here leads to."""
        return at + self.number(at, 4)

    def field(self, table: int, number: int) -> int | None:
        """Where the field stands; None if it is left out."""
        back = self.number(table, 4)
        back -= (back & 1 << 31) << 1
        virtual = table - back
        if virtual < START:
            raise Malformed("catboost.table", path=self.source.path, offset=table)
        if 4 + 2 * number + 2 > self.number(virtual, 2):
            return None
        place = self.number(virtual + 4 + 2 * number, 2)
        return table + place if place else None

    def vector(self, at: int) -> tuple[int, int]:
        """How many elements, and where the first is."""
        start = self.table(at)
        return self.number(start, 4), start + 4

    def text(self, at: int) -> str:
        length, start = self.vector(at)
        if length > MOST_TEXT:
            raise Malformed("catboost.table", path=self.source.path, offset=at)
        return Cursor(self.source, offset=start, end=self.end).text(length, "string")


def _said(flat: _Flat, root: int) -> dict[str, Meta]:
    """The pairs of text kept with the model: its parameters and the program that wrote it."""
    pairs = flat.field(root, 2)
    count, start = (0, 0) if pairs is None else flat.vector(pairs)
    texts: dict[str, str] = {}
    for number in range(min(count, MOST_PAIRS)):
        pair = flat.table(start + 4 * number)
        key, value = flat.field(pair, 0), flat.field(pair, 1)
        if key is not None and value is not None:
            texts[flat.text(key)] = flat.text(value)
    said: dict[str, Meta] = {"keys": tuple(texts)} if texts else {}
    if (version := _VERSION.search(texts.get("catboost_version_info", ""))) is not None:
        said["version"] = version[1]
    if (objective := _objective(texts.get("params", ""), flat.source.path)) is not None:
        said["objective"] = objective
    return said


def _objective(params: str, path: str) -> str | None:
    try:
        value, _ = decode(params.encode("utf-8", "surrogatepass"), path=path)
    except FormatError:
        return None
    match value:
        case {"loss_function": {"type": str(kind)}}:
            return kind
    return None


FORMAT = Format(name="catboost", suffixes=(".cbm",), matches=matches, read=read, examine=examine)
