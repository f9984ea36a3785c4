"""7z: the archive's header walked, folders unpacked whose one method the standard library decodes.

https://github.com/ip7z/7zip/blob/main/DOC/7zFormat.txt
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable

from weigh.codecs.cursor import Cursor
from weigh.codecs.sevenzip_header import Archive, Coder, Folder, read_header, read_streams
from weigh.codecs.unpacking import MOST_MEMORY, MOST_UNPACKED, Decoder, Unpacked, bunzipper, inflater, unpack
from weigh.core.errors import Malformed, OverBudget, Truncated
from weigh.core.source import Source
from weigh.sources.memory import MemorySource

MAGIC = b"7z\xbc\xaf\x27\x1c"
START = 32  # bytes of the signature header
MOST_HEADER = 16 << 20
MOST_ENCODED = 4  # headers packed inside packed headers

COPY = "00"
METHODS = {
    "00": "Copy", "03": "Delta", "04": "BCJ x86", "21": "LZMA2", "030101": "LZMA", "03030103": "BCJ x86",
    "0303011b": "BCJ2", "030401": "PPMd", "040108": "Deflate", "040109": "Deflate64", "040202": "BZip2",
    "04f71101": "Zstandard", "04f71104": "LZ4", "06f10701": "AES-256", "0a": "ARM64", "0303": "branch filter",
}  # fmt: skip


def is_sevenzip(source: Source) -> bool:
    """Its six bytes stand first."""
    return source.read(0, len(MAGIC)) == MAGIC


def read_archive(source: Source) -> Archive:
    """Folders and files as the header lists them. Raises FormatError."""
    cursor = Cursor(source)
    cursor.skip(len(MAGIC), "signature")
    minor = (cursor.u8("major version"), cursor.u8("minor version"))
    stated, fields = cursor.u32("start header CRC"), cursor.bytes(20, "start header")
    if zlib.crc32(fields) != stated:
        raise Malformed("sevenzip.crc", path=source.path, offset=8, what="start header")
    offset, nbytes = int.from_bytes(fields[:8], "little"), int.from_bytes(fields[8:16], "little")
    if nbytes == 0:
        return Archive(version=f"{minor[0]}.{minor[1]}")
    if offset + nbytes > source.size - START:
        left = max(source.size - START - offset, 0)
        raise Truncated("past_end", path=source.path, offset=START + offset, what="header", length=nbytes, left=left)
    if nbytes > MOST_HEADER:
        raise OverBudget("too_long", path=source.path, offset=START, what="header", length=nbytes, most=MOST_HEADER)
    data = source.read(START + offset, nbytes)
    if zlib.crc32(data) != int.from_bytes(fields[16:], "little"):
        raise Malformed("sevenzip.crc", path=source.path, offset=START + offset, what="header")
    return read_header(_decoded(source, data), version=f"{minor[0]}.{minor[1]}")


def unpack_folder(source: Source, folder: Folder, *, most: int = MOST_UNPACKED) -> Unpacked:
    """The first `most` bytes of what the folder holds. Call `undecoded` first: its method must be one of ours."""
    coder = folder.coders[0]
    start, end = START + folder.start, START + folder.start + folder.packed
    if coder.method == COPY:
        data = source.read(start, min(folder.packed, most))
        return Unpacked(data=data, whole=len(data) == folder.packed, end=start + len(data))
    wanted = min(folder.nbytes, most)
    done = unpack(source, start, end, _decoder(coder, folder, source), most=wanted)
    # A decoder of bare LZMA knows no end: it is whole when all that was promised is there.
    enough = len(done.data) == wanted
    return Unpacked(
        data=done.data, whole=enough and folder.nbytes <= most, end=done.end, error=None if enough else done.error
    )


def undecoded(folder: Folder) -> str | None:
    """The method that cannot be decoded here, by its name; None for a folder that can be unpacked."""
    for coder in folder.coders:
        if coder.method != COPY and coder.method not in _DECODERS:
            return METHODS.get(coder.method, coder.method)
    if len(folder.coders) != 1 or not folder.is_simple:
        return " + ".join(METHODS.get(coder.method, coder.method) for coder in folder.coders) or "?"
    return None


def _decoded(source: Source, data: bytes) -> Source:
    """The header itself: it may be packed, and that again."""
    for _ in range(MOST_ENCODED):
        if data[:1] != b"\x17":
            return MemorySource(data, path=source.path)
        folders = read_streams(MemorySource(data[1:], path=source.path))
        method = undecoded(folders[0]) if folders else "?"
        if method is not None:
            raise OverBudget("sevenzip.header", path=source.path, offset=START, method=method)
        done = unpack_folder(source, folders[0], most=MOST_HEADER)
        if done.error is not None or not done.whole:
            raise done.error or OverBudget(
                "too_long", path=source.path, offset=START, what="header", length=folders[0].nbytes, most=MOST_HEADER
            )
        if folders[0].crc is not None and zlib.crc32(done.data) != folders[0].crc:
            raise Malformed("sevenzip.crc", path=source.path, offset=START + folders[0].start, what="header")
        data = done.data
    raise OverBudget("sevenzip.header", path=source.path, offset=START, method="?")


def _decoder(coder: Coder, folder: Folder, source: Source) -> Callable[[], Decoder]:
    try:
        return _DECODERS[coder.method](coder.properties, folder.nbytes)
    except (IndexError, ValueError) as error:
        raise Malformed("sevenzip.properties", path=source.path, offset=START + folder.start) from error


def _lzma(properties: bytes, nbytes: int) -> Callable[[], Decoder]:
    packed = properties[0]
    filters = {
        "id": lzma.FILTER_LZMA1,
        "lc": packed % 9,
        "lp": packed // 9 % 5,
        "pb": packed // 45,
        "dict_size": _dictionary(int.from_bytes(properties[1:5], "little"), nbytes),
    }
    if packed >= 225 or len(properties) != 5:
        raise ValueError("LZMA properties")
    return lambda: lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=[filters])


def _lzma2(properties: bytes, nbytes: int) -> Callable[[], Decoder]:
    bits = properties[0]
    if bits > 40:
        raise ValueError("LZMA2 properties")
    size = 0xFFFFFFFF if bits == 40 else (2 | bits & 1) << (bits // 2 + 11)
    filters = {"id": lzma.FILTER_LZMA2, "dict_size": _dictionary(size, nbytes)}
    return lambda: lzma.LZMADecompressor(format=lzma.FORMAT_RAW, filters=[filters])


def _dictionary(stated: int, nbytes: int) -> int:
    """No match reaches back further than the bytes there are, so no larger dictionary is needed than they."""
    return max(4096, min(stated, nbytes, MOST_MEMORY))


_DECODERS: dict[str, Callable[[bytes, int], Callable[[], Decoder]]] = {
    "21": _lzma2,
    "030101": _lzma,
    "040108": lambda properties, nbytes: lambda: inflater(-15),
    "040202": lambda properties, nbytes: bunzipper,
}
