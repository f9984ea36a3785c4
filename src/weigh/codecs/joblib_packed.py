"""The compressed streams that joblib wraps a pickle in: zlib, gzip, bzip2, xz and lzma, unpacked within bounds."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Protocol

from weigh.core.source import Source
from weigh.core.value import Value
from weigh.sources.memory import MemorySource

MOST_UNPACKED = 64 << 20
MOST_BUNZIPPED = 16 << 20  # bzip2 is slow
_STEP = 1 << 16


class Decoder(Protocol):
    """What the standard library's decompressors have in common."""

    @property
    def eof(self) -> bool:
        """Is the stream's end reached?"""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """So many bytes of it at the most."""


class Unpacked(Value, frozen=True, kw_only=True):
    """`is_whole` unless the stream is damaged, cut short or longer than is unpacked here."""

    method: str
    data: bytes
    is_whole: bool
    is_over: bool

    def source(self, path: str) -> Source:
        """As a Source of its own."""
        return MemorySource(self.data, path=path)


def method_of(head: bytes) -> str | None:
    """The name of the compression that begins so."""
    for magic, method in _MAGICS:
        if head.startswith(magic):
            return method
    return None


def unpack(source: Source, method: str, most: int | None = None) -> Unpacked:
    """Up to `most` bytes of the content. Never raises: what can be unpacked is."""
    bound = MOST_BUNZIPPED if method == "bz2" else MOST_UNPACKED
    left = bound if most is None else most
    decoder = _DECODERS[method]()
    pieces, at, eof = [], _start(source, method), False
    try:
        while at < source.size and left > 0 and not eof:
            packed = source.read(at, _STEP)
            at += len(packed)
            while left > 0 and not decoder.eof and (piece := decoder.decompress(packed, left)):
                pieces.append(piece)
                left -= len(piece)
                packed = _rest(decoder)
            eof = decoder.eof
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        return Unpacked(method=method, data=b"".join(pieces), is_whole=False, is_over=False)
    return Unpacked(method=method, data=b"".join(pieces), is_whole=eof, is_over=left <= 0 and not eof)


def _start(source: Source, method: str) -> int:
    """Where the stream begins: joblib before 0.10 put its length first, under Python 2 with one more space."""
    if method != "zfile":
        return 0
    return _ZFILE + (source.read(_ZFILE, 1) == b" ")


def _rest(decoder: Decoder) -> bytes:
    """What zlib gives back when its output is bounded; the others keep it themselves."""
    return getattr(decoder, "unconsumed_tail", b"")


_ZFILE = 2 + len(hex(1 << 64))
_MAGICS = (
    (b"ZF0x", "zfile"),
    (b"\x78\x01", "zlib"),
    (b"\x78\x5e", "zlib"),
    (b"\x78\x9c", "zlib"),
    (b"\x78\xda", "zlib"),
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x5d\0\0", "lzma"),
)
_DECODERS: dict[str, Callable[[], Decoder]] = {
    "zfile": lambda: zlib.decompressobj(15),
    "zlib": lambda: zlib.decompressobj(15),
    "gzip": lambda: zlib.decompressobj(31),
    "bz2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=64 << 20),
    "lzma": lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=64 << 20),
}
