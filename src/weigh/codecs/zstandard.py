"""Zstandard frames: the header by hand (RFC 8878), the bytes by a library where one is there."""

from __future__ import annotations

import importlib
import io
from typing import Any

from weigh.codecs.cursor import Cursor
from weigh.codecs.unpacking import MOST_MEMORY, MOST_UNPACKED, STEP, Unpacked
from weigh.core.errors import FormatError, Malformed, OverBudget
from weigh.core.header import Meta
from weigh.core.source import Source

_LIBRARIES = ("compression.zstd", "backports.zstd", "zstandard")
_SIZES = (0, 2, 4, 8)


def describe(source: Source) -> dict[str, Meta]:
    """Content size, window and check, as the frame's header states them. Raises FormatError."""
    cursor = Cursor(source)
    cursor.skip(4, "magic")
    descriptor = cursor.u8("frame header descriptor")
    single = bool(descriptor & 0x20)
    found: dict[str, Meta] = {"check": "xxh64" if descriptor & 4 else "none"}
    if descriptor & 8:
        raise Malformed("zstd.reserved", path=source.path, offset=4)
    if not single:
        window = cursor.u8("window descriptor")
        base = 1 << 10 + (window >> 3)
        found["window_nbytes"] = base + base // 8 * (window & 7)
    cursor.skip((0, 1, 2, 4)[descriptor & 3], "dictionary id")
    width = _SIZES[descriptor >> 6] or int(single)
    if width:
        found["nbytes"] = int.from_bytes(cursor.bytes(width, "content size"), "little") + (256 if width == 2 else 0)
    return found


def is_installed() -> bool:
    """Is one of the libraries there?"""
    return _library() is not None


def unpack(source: Source, *, most: int = MOST_UNPACKED) -> Unpacked:
    """The frames' first `most` bytes. Raises OverBudget where no library is there or the window is too large."""
    library = _library()
    window = describe(source).get("window_nbytes", 0)
    if library is None or (isinstance(window, int) and window > MOST_MEMORY):
        raise OverBudget("zstd.window" if library else "zstd.library", path=source.path, offset=0)
    feed, out = _Feed(source, most), io.BytesIO()
    error: FormatError | None = None
    try:
        with _reader(library, feed) as reader:
            while out.tell() <= most and (piece := reader.read(min(1 << 20, most + 1 - out.tell()))):
                out.write(piece)
    except (library.ZstdError, EOFError):
        error = Malformed("unpack.damaged", path=source.path, offset=feed.at)
    except FormatError as seen:
        error = seen
    data = out.getvalue()
    return Unpacked(data=data[:most], whole=error is None and len(data) <= most, end=feed.at, error=error)


class _Feed(io.RawIOBase):
    """The Source as a file that gives so much and no more."""

    def __init__(self, source: Source, most: int) -> None:
        self.at = 0
        self._source = source
        self._last = most + most // 8 + (1 << 20)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.at > self._last:
            raise OverBudget("unpack.packed", path=self._source.path, offset=self.at, most=self._last)
        data = self._source.read(self.at, min(len(buffer), STEP))
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)


def _reader(library: Any, feed: _Feed) -> Any:
    if library.__name__ == "zstandard":
        return library.ZstdDecompressor(max_window_size=MOST_MEMORY).stream_reader(feed, read_across_frames=True)
    return library.ZstdFile(feed, options={library.DecompressionParameter.window_log_max: 26})


def _library() -> Any:
    for name in _LIBRARIES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    return None
