"""RKNN: a model compiled for Rockchip's NPUs, its description as JSON at the end; or encrypted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from weigh.codecs.cursor import Cursor
from weigh.codecs.json import decode
from weigh.core.errors import FormatError
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source

MOST_TABLE = 16 << 20
_ENCRYPTED = b"CYPTRKNN"
_KEYS = ("target_platform", "network_platform", "ori_network_platform", "version", "name", "precompile")
_PADDING = 40  # since version 2


def matches(source: Source) -> bool:
    """The magic number with a small version behind it, encrypted, or as a flatbuffer's identifier."""
    head = source.read(0, 16)
    if head[:8] == _ENCRYPTED or (head[4:8] == b"RKNN" and head[1:4] == b"\0\0\0"):
        return True
    return head[:8] == b"RKNN\0\0\0\0" and 0 < int.from_bytes(head[8:16], "little") < 1 << 16


def read(source: Source) -> Header:
    """Version, and from the description at the end the chip and the network it is for. Raises FormatError."""
    head = source.read(0, 8)
    if head == _ENCRYPTED:
        return Header(format="rknn", metadata={"encrypted": True})
    if head[:4] != b"RKNN":
        return Header(format="rknn", metadata={"encoding": "flatbuffer"})
    cursor = Cursor(source)
    cursor.skip(8, "magic")
    version, nbytes = cursor.u64("version"), cursor.u64("data size")
    if version > 1:
        cursor.skip(_PADDING, "padding")
    cursor.skip(nbytes, "data")
    length = cursor.u64("json size") if cursor.left >= 8 else 0
    table = _table(cursor, length) if 0 < length <= min(cursor.left, MOST_TABLE) else {}
    metadata: dict[str, Meta] = {key: _plain(table[key]) for key in _KEYS if key in table}
    for key in ("nodes", "norm_tensor", "const_tensor"):
        if isinstance(table.get(key), list):
            metadata[key] = len(table[key])
    return Header(format="rknn", version=str(version), metadata=metadata)


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """The compiled model is closed."""
    return iter(())


def _table(cursor: Cursor, length: int) -> dict[str, Any]:
    at = cursor.offset
    try:
        table, _ = decode(cursor.bytes(length, "json"), path=cursor.source.path, offset=at)
    except FormatError:  # some converters leave something else there
        return {}
    return table if isinstance(table, dict) else {}


def _plain(value: Any) -> Meta:
    match value:
        case bool() | int() | float() | str() | None:
            return value
        case list():
            return tuple(str(one)[:200] for one in value[:16])
    return str(value)[:1000]


FORMAT = Format(
    name="rknn", suffixes=(".rknn",), matches=matches, read=read, examine=examine, not_covered=("engine_code",)
)
