"""What a picture brings along besides its pixels."""

from __future__ import annotations

import struct
import zlib

from weigh.formats import detect
from weigh.sources.memory import MemorySource


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", bytes(13))
    + chunk(b"tEXt", b"workflow\0{}")
    + chunk(b"iTXt", b"prompt\0\0\0\0\0{}")
)


def test_a_workflow_in_a_picture_is_noticed() -> None:
    source = MemorySource(PNG + chunk(b"IEND", b""), path="x")
    header = detect(source).read(source)
    assert header.metadata == {"text": {"workflow": 11, "prompt": 13}}


def test_a_picture_cut_anywhere_is_a_picture_still() -> None:
    for length in range(12, len(PNG)):
        source = MemorySource(PNG[:length], path="x")
        assert detect(source).read(source).format == "image"
