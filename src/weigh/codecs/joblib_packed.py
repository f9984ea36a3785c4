"""The compressed streams that joblib wraps a pickle in, its own first layout among them."""

from __future__ import annotations

from weigh.codecs.compressed import is_opened, kind_of, opened
from weigh.codecs.unpacking import Unpacked
from weigh.codecs.zip import Window
from weigh.core.errors import FormatError
from weigh.core.source import Source

HEAD = 1 << 19  # packed bytes that are looked at to know what is inside
ZFILE = "zfile"

_LETTERS = b"ZF0x"
_ZFILE = 21  # the letters ZF and nineteen digits; one more where Python 2 wrote an L


def method_of(source: Source) -> str | None:
    """The name of the compression, if it is one that can be opened here."""
    if source.read(0, len(_LETTERS)) == _LETTERS:
        return ZFILE
    kind = kind_of(source)
    return kind if kind is not None and is_opened(kind) else None


def unpack(source: Source, method: str) -> Unpacked:
    """The content, as many bytes as are allowed. Raises FormatError."""
    if method != ZFILE:
        kind = kind_of(source)
        assert kind is not None
        return opened(source, kind)
    start = _ZFILE if source.read(_ZFILE, 1) == b"\x78" else _ZFILE + 1
    return opened(Window(source, start, max(source.size - start, 0), path=source.path), "zlib")


def head_of(source: Source, method: str) -> bytes:
    """How the content begins; nothing where that cannot be told."""
    try:
        return unpack(Window(source, 0, min(HEAD, source.size), path=source.path), method).data
    except FormatError:
        return b""
