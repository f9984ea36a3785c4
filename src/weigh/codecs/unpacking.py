"""Decompression in bounded steps: so many bytes and no more, and what came out before a fault is kept."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from collections.abc import Callable
from typing import Protocol

from weigh.core.errors import FormatError, Malformed, OverBudget, Truncated
from weigh.core.source import Source
from weigh.core.value import Value
from weigh.sources.memory import CutSource, MemorySource

MOST_UNPACKED = 32 << 20  # of one stream: three of them inside each other stay within our memory
MOST_STREAMS = 2000  # one behind another, as in blocked gzip
MOST_MEMORY = 80 << 20  # a decoder's own: xz -9 wants 65 MiB
STEP = 1 << 16
PIECE = 1 << 13  # unpacked at once, as Python's own files do: what a fault loses, a loader had not seen either


class Decoder(Protocol):
    """What `bz2` and `lzma` give; zlib's is made like it by `inflater`."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Unpacked(Value, frozen=True, kw_only=True):
    """`whole` is False where more would come; `error` is what ended it early; `end` is where its packed bytes end."""

    data: bytes
    whole: bool
    end: int
    error: FormatError | None = None

    def source(self, path: str) -> MemorySource:
        """The bytes as a Source, said to be cut where they are."""
        return MemorySource(self.data, path=path) if self.whole else CutSource(self.data, path=path)


def unpack(
    source: Source, start: int, end: int, fresh: Callable[[], Decoder], *, most: int = MOST_UNPACKED
) -> Unpacked:
    """Streams between two offsets, one behind another, until one begins with what `fresh` cannot take.

    Never raises FormatError: it is kept in what is returned.
    """
    run = _Run(source, start, min(end, source.size), most)
    try:
        run.go(fresh)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
        run.error = _error(error, source, run.at)
    except MemoryError:
        run.error = OverBudget("unpack.memory", path=source.path, offset=run.at, most=MOST_MEMORY)
    except FormatError as error:
        run.error = error
    whole = run.error is None and run.out.tell() <= most
    run.out.truncate(most)
    return Unpacked(data=run.out.getvalue(), whole=whole, end=run.at - len(run.rest), error=run.error)


def inflater(bits: int) -> Decoder:
    """zlib's decoder: `bits` 31 for gzip, 15 for zlib, -15 for bare deflate."""
    return _Inflater(bits)


def bunzipper() -> Decoder:
    """bzip2's decoder."""
    return bz2.BZ2Decompressor()


def unxzer() -> Decoder:
    """The decoder of .xz, bounded in memory."""
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=MOST_MEMORY)


def unlzmaer() -> Decoder:
    """The decoder of .lzma, bounded in memory."""
    return lzma.LZMADecompressor(format=lzma.FORMAT_ALONE, memlimit=MOST_MEMORY)


class _Inflater:
    def __init__(self, bits: int) -> None:
        self._inner = zlib.decompressobj(bits)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        piece = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self._full = len(piece) == max_length  # it may hold back more
        return piece


class _Run:
    """One unpacking: how far it is."""

    def __init__(self, source: Source, start: int, end: int, most: int) -> None:
        self.source, self.at, self.end, self.most = source, start, end, most
        self.last = start + most + most // 8 + (1 << 20)  # packed bytes that yield nothing cost time as well
        self.mark = source.read(start, 3)
        self.out = io.BytesIO()
        self.rest = b""
        self.error: FormatError | None = None

    def go(self, fresh: Callable[[], Decoder]) -> None:
        for _ in range(MOST_STREAMS):
            self.stream(fresh())
            if self.out.tell() > self.most or self.rest.lstrip(b"\0")[:3] != self.mark or not self.rest:
                return
            self.rest = self.rest.lstrip(b"\0")
        raise OverBudget("unpack.streams", path=self.source.path, offset=self.at, most=MOST_STREAMS)

    def stream(self, decoder: Decoder) -> None:
        data, self.rest = self.rest, b""
        while not decoder.eof and self.out.tell() <= self.most:
            if decoder.needs_input and not data:
                data = self.more()
            self.out.write(decoder.decompress(data, min(self.most + 1 - self.out.tell(), PIECE)))
            data = b""
        self.rest = decoder.unused_data
        if decoder.eof and not self.rest:
            self.rest = self.source.read(self.at, min(STEP, self.end - self.at))
            self.at += len(self.rest)

    def more(self) -> bytes:
        if self.at >= self.last:
            raise OverBudget("unpack.packed", path=self.source.path, offset=self.at, most=self.most)
        data = self.source.read(self.at, min(STEP, self.end - self.at))
        if not data:
            raise Truncated("unpack.cut", path=self.source.path, offset=self.at)
        self.at += len(data)
        return data


def _error(error: Exception, source: Source, at: int) -> FormatError:
    if isinstance(error, lzma.LZMAError) and "limit" in str(error):
        return OverBudget("unpack.memory", path=source.path, offset=at, most=MOST_MEMORY)
    return Malformed("unpack.damaged", path=source.path, offset=at)
