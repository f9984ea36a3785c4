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


<<<<<<< HEAD
def head_of(source: Source, method: str) -> bytes:
    """How the content begins; nothing where that cannot be told."""
    try:
        return unpack(Window(source, 0, min(HEAD, source.size), path=source.path), method).data
    except FormatError:
        return b""
=======
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
>>>>>>> qa
