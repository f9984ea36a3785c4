"""Single compressed streams: which one it is, what its header says, and the bytes inside."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from weigh.codecs import lz4, zstandard
from weigh.codecs.cursor import Cursor
from weigh.codecs.unpacking import Decoder, Unpacked, bunzipper, inflater, unlzmaer, unpack, unxzer
from weigh.core.errors import Malformed
from weigh.core.header import Meta
from weigh.core.source import Source

Kind = Literal["gzip", "bzip2", "xz", "lzma", "zlib", "lz4", "zstd"]

MOST_BUNZIPPED = 8 << 20  # bzip2 is slow
_TRIED = 4096  # bytes that must unpack where there is no magic to go by
_CHECKS = {0: "none", 1: "crc32", 4: "crc64", 10: "sha256"}
_METHODS = frozenset({0x01, 0x5E, 0x9C, 0xDA})
_SUFFIX = re.compile(r"\.(?:gz|gzip|bz2|xz|lzma|zst|zstd|lz4|z|zlib)$", re.IGNORECASE)
_SHORT = {".tgz": ".tar", ".tbz": ".tar", ".tbz2": ".tar", ".txz": ".tar", ".tzst": ".tar"}
_DECODERS: dict[str, Callable[[], Decoder]] = {
    "gzip": lambda: inflater(31),
    "zlib": lambda: inflater(15),
    "bzip2": bunzipper,
    "xz": unxzer,
    "lzma": unlzmaer,
}


def kind_of(source: Source) -> Kind | None:
    """By the first bytes; what has no magic of its own must also begin to unpack."""
    head = source.read(0, 14)
    for magic, kind in _MAGICS:
        if head.startswith(magic) and (kind != "bzip2" or _is_bzip2(head)):
            return kind
    if head[:1] == b"\x78" and len(head) > 2 and head[1] in _METHODS and int.from_bytes(head[:2], "big") % 31 == 0:
        return "zlib" if _unpacks(source, "zlib") else None
    return "lzma" if _may_be_lzma(head) and _unpacks(source, "lzma") else None


def describe(source: Source, kind: Kind) -> dict[str, Meta]:
    """What the stream's own header says: name, size, check. Raises FormatError."""
    match kind:
        case "gzip":
            return _gzip(source)
        case "xz":
            return {"check": _CHECKS.get(source.read(7, 1)[0] & 15, "?") if source.size > 7 else "?"}
        case "bzip2":
            return {"block_nbytes": (source.read(3, 1)[0] - 48) * 100_000}
        case "lzma":
            stated = int.from_bytes(source.read(5, 8), "little")
            return {"nbytes": stated} if stated != (1 << 64) - 1 else {}
        case "zstd":
            return zstandard.describe(source)
        case "lz4":
            frame = lz4.read_frame(source)
            said: dict[str, Meta] = {"check": "xxh32" if frame.checksum else "none", "block_nbytes": frame.block}
            return said | ({"nbytes": frame.nbytes} if frame.nbytes is not None else {})
        case _:
            return {}


def opened(source: Source, kind: Kind) -> Unpacked:
    """The bytes inside, as many as are allowed. Raises FormatError only for a header that cannot be read."""
    match kind:
        case "lz4":
            return lz4.unpack(source, lz4.read_frame(source))
        case "zstd":
            return zstandard.unpack(source)
        case "bzip2":
            return unpack(source, 0, source.size, bunzipper, most=MOST_BUNZIPPED)
        case _:
            done = unpack(source, 0, source.size, _DECODERS[kind])
            return _without_checksum(source, kind, done) if isinstance(done.error, Malformed) else done


def is_opened(kind: Kind) -> bool:
    """Is there a decoder for it here?"""
    return kind != "zstd" or zstandard.is_installed()


def inner_name(source: Source, stated: str | None) -> str:
    """The file's own name without its suffix; else the one the stream gives; else `content`."""
    name = re.split(r"/", source.path)[-1]
    for suffix, instead in _SHORT.items():
        if name.lower().endswith(suffix):
            return name[: -len(suffix)] + instead
    if (match := _SUFFIX.search(name)) is not None and match.start() > 0:
        return name[: match.start()]
    return stated or "content"


def _without_checksum(source: Source, kind: Kind, done: Unpacked) -> Unpacked:
    """A wrong checksum is met at the end, when a loader has long read what stands before it: so do we."""
    start = _gzip_fields(source)[1] if kind == "gzip" else 2 if kind == "zlib" else source.size
    bare = unpack(source, start, source.size, lambda: inflater(-15))
    if len(bare.data) <= len(done.data):
        return done
    return Unpacked(data=bare.data, whole=False, end=bare.end, error=done.error)


def _is_bzip2(head: bytes) -> bool:
    return head[3:4] in b"123456789" and head[4:10] in (b"1AY&SY", b"\x17\x72\x45\x38\x50\x90")


def _may_be_lzma(head: bytes) -> bool:
    """Its three numbers are those that encoders write."""
    if len(head) < 14 or head[0] != 0x5D or head[13] != 0:
        return False
    size, nbytes = int.from_bytes(head[1:5], "little"), int.from_bytes(head[5:13], "little")
    power = size.bit_length() - 1
    return size >= 4096 and size in (1 << power, 3 << power - 1) and (nbytes == (1 << 64) - 1 or nbytes < 1 << 48)


def _unpacks(source: Source, kind: Kind) -> bool:
    done = unpack(source, 0, min(source.size, _TRIED), _DECODERS[kind], most=_TRIED)
    return bool(done.data) and not isinstance(done.error, Malformed)


def _gzip(source: Source) -> dict[str, Meta]:
    name, _ = _gzip_fields(source)
    found: dict[str, Meta] = {"name": name} if name is not None else {}
    if source.size >= 18:
        found["nbytes"] = int.from_bytes(source.read(source.size - 4, 4), "little")  # modulo 4 GiB
    return found


def _gzip_fields(source: Source) -> tuple[str | None, int]:
    """The name it states, and where its header ends (RFC 1952)."""
    cursor = Cursor(source)
    cursor.skip(3, "magic")
    flags = cursor.u8("flags")
    cursor.skip(6, "time")
    if flags & 4:
        cursor.skip(cursor.u16("extra length"), "extra field")
    name = _until_zero(cursor) if flags & 8 else None
    if flags & 16:
        _until_zero(cursor)
    cursor.skip(2 if flags & 2 else 0, "header CRC")
    return name, cursor.offset


def _until_zero(cursor: Cursor) -> str:
    start = cursor.offset
    name = cursor.bytes(min(cursor.left, 1024), "file name").partition(b"\0")[0]
    cursor.offset = min(start + len(name) + 1, cursor.end)
    return name.decode("latin-1")


_MAGICS: tuple[tuple[bytes, Kind], ...] = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (lz4.MAGIC, "lz4"),
)
