"""The header database of a 7z archive: folders of coders, streams inside them, names and attributes of files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from weigh.codecs.cursor import Cursor
from weigh.core.errors import Malformed, OverBudget
from weigh.core.source import Source
from weigh.core.value import Value

MOST_FOLDERS = 10_000
MOST_FILES = 20_000
MOST_CODERS = 8
_END, _HEADER, _ARCHIVE, _EXTRA_STREAMS, _STREAMS, _FILES = 0, 1, 2, 3, 4, 5
_PACK, _UNPACK, _SUBSTREAMS, _SIZES, _CRC, _FOLDER = 6, 7, 8, 9, 10, 11
_UNPACK_SIZES, _NUM_STREAMS, _EMPTY_STREAM, _EMPTY_FILE, _NAMES, _ATTRIBUTES = 12, 13, 14, 15, 17, 21
_LINK = 0o120000


class Coder(Value, frozen=True, kw_only=True):
    """`method` in hexadecimal, as 7z's list of methods has it."""

    method: str
    properties: bytes = b""
    inputs: int
    outputs: int


class Folder(Value, frozen=True, kw_only=True):
    """Bytes packed together: `start` counts from behind the signature header; `sizes` and `crcs` are its files'."""

    coders: tuple[Coder, ...]
    start: int
    packed: int
    nbytes: int
    crc: int | None = None
    sizes: tuple[int, ...] = ()
    crcs: tuple[int | None, ...] = ()
    is_simple: bool


class File(Value, frozen=True, kw_only=True):
    """`folder` and `start` say where its bytes are; no folder for what has none (a folder, an empty file)."""

    name: str
    nbytes: int
    folder: int | None = None
    start: int
    crc: int | None = None
    is_link: bool
    is_folder: bool


class Archive(Value, frozen=True, kw_only=True):
    """Everything the header says."""

    version: str
    folders: tuple[Folder, ...] = ()
    files: tuple[File, ...] = ()


def read_header(source: Source, *, version: str) -> Archive:
    """The database of an unpacked header. Raises FormatError."""
    cursor = Cursor(source)
    _expect(cursor, _HEADER)
    folders: list[Folder] = []
    files: tuple[File, ...] = ()
    for kind in _parts(cursor):
        match kind:
            case 2:  # archive properties
                _skip_properties(cursor)
            case 3:
                _streams(cursor)
            case 4:
                folders = _streams(cursor)
            case 5:
                files = tuple(_files(cursor, folders))
            case _:
                raise _odd(cursor)
    return Archive(version=version, folders=tuple(folders), files=files)


def read_streams(source: Source) -> list[Folder]:
    """The streams an encoded header is packed in. Raises FormatError."""
    return _streams(Cursor(source))


def _parts(cursor: Cursor) -> Iterator[int]:
    """Identifiers up to the end mark."""
    for _ in range(64):
        kind = _number(cursor, "property")
        if kind == _END:
            return
        yield kind
    raise _odd(cursor)


def _odd(cursor: Cursor) -> Malformed:
    return Malformed("sevenzip.header_field", path=cursor.source.path, offset=cursor.offset)


def _expect(cursor: Cursor, kind: int) -> None:
    if _number(cursor, "property") != kind:
        raise _odd(cursor)


def _number(cursor: Cursor, what: str) -> int:
    """7z's variable length: the ones that lead the first byte tell how many more bytes follow."""
    first = cursor.u8(what)
    value, mask = 0, 0x80
    for number in range(8):
        if not first & mask:
            return value | (first & (mask - 1)) << (8 * number)
        value |= cursor.u8(what) << (8 * number)
        mask >>= 1
    return value


def _bits(cursor: Cursor, count: int, what: str) -> list[bool]:
    data = cursor.bytes((count + 7) // 8, what)
    return [bool(data[number // 8] & 0x80 >> number % 8) for number in range(count)]


def _optional_bits(cursor: Cursor, count: int, what: str) -> list[bool]:
    """All of them, or a bit for each."""
    return [True] * count if cursor.u8(what) else _bits(cursor, count, what)


def _digests(cursor: Cursor, count: int) -> list[int | None]:
    cursor.count(count, at_least=0, what="digests")
    return [cursor.u32("CRC") if there else None for there in _optional_bits(cursor, count, "digests")]


def _skip_properties(cursor: Cursor) -> None:
    for _ in _parts(cursor):
        cursor.skip(_number(cursor, "size"), "property")


def _streams(cursor: Cursor) -> list[Folder]:
    start, sizes, folders = 0, list[int](), list[Folder]()
    for kind in _parts(cursor):
        match kind:
            case 6:
                start, sizes = _pack_info(cursor)
            case 7:
                folders = _folders(cursor, start, sizes)
            case 8:
                folders = _substreams(cursor, folders)
            case _:
                raise _odd(cursor)
    return [_whole(folder) for folder in folders]


def _whole(folder: Folder) -> Folder:
    """Without substreams a folder holds one file."""
    if folder.sizes:
        return folder
    return _with(folder, sizes=(folder.nbytes,), crcs=(folder.crc,))


def _with(folder: Folder, *, sizes: tuple[int, ...], crcs: tuple[int | None, ...]) -> Folder:
    return Folder(
        coders=folder.coders,
        start=folder.start,
        packed=folder.packed,
        nbytes=folder.nbytes,
        crc=folder.crc,
        sizes=sizes,
        crcs=crcs,
        is_simple=folder.is_simple,
    )


def _pack_info(cursor: Cursor) -> tuple[int, list[int]]:
    start, count = _number(cursor, "pack position"), _number(cursor, "pack streams")
    _bound(cursor, count, MOST_FOLDERS, "pack streams")
    sizes: list[int] = []
    for kind in _parts(cursor):
        match kind:
            case 9:
                sizes = [_number(cursor, "pack size") for _ in range(count)]
            case 10:
                _digests(cursor, count)
            case _:
                raise _odd(cursor)
    return start, sizes


def _bound(cursor: Cursor, count: int, most: int, what: str) -> None:
    if count > most:
        raise OverBudget("too_many", path=cursor.source.path, offset=cursor.offset, what=what, count=count, most=most)


def _folders(cursor: Cursor, start: int, packed: list[int]) -> list[Folder]:
    _expect(cursor, _FOLDER)
    count = _number(cursor, "folders")
    _bound(cursor, count, MOST_FOLDERS, "folders")
    if cursor.u8("external"):
        raise _odd(cursor)
    shapes = [_coders(cursor) for _ in range(count)]
    _expect(cursor, _UNPACK_SIZES)
    sizes = [[_number(cursor, "unpack size") for _ in range(sum(c.outputs for c in coders))] for coders, _ in shapes]
    crcs: list[int | None] = [None] * count
    for kind in _parts(cursor):
        if kind != _CRC:
            raise _odd(cursor)
        crcs = _digests(cursor, count)
    found, first, at = [], 0, start
    for (coders, streams), unpacked, crc in zip(shapes, sizes, crcs, strict=True):
        mine = packed[first : first + streams]
        simple = len(coders) == 1 and coders[0].inputs == coders[0].outputs == streams == len(mine) == 1
        nbytes = unpacked[-1] if unpacked else 0
        found.append(Folder(coders=coders, start=at, packed=sum(mine), nbytes=nbytes, crc=crc, is_simple=simple))
        first, at = first + streams, at + sum(mine)
    return found


def _coders(cursor: Cursor) -> tuple[tuple[Coder, ...], int]:
    """The coders of a folder and how many packed streams go into it."""
    count = _number(cursor, "coders")
    _bound(cursor, count, MOST_CODERS, "coders")
    coders = tuple(_coder(cursor) for _ in range(count))
    inputs, outputs = sum(coder.inputs for coder in coders), sum(coder.outputs for coder in coders)
    for _ in range(max(outputs - 1, 0)):
        _number(cursor, "bind pair")
        _number(cursor, "bind pair")
    streams = inputs - max(outputs - 1, 0)
    if streams > 1:
        for _ in range(streams):
            _number(cursor, "packed stream")
    return coders, max(streams, 0)


def _coder(cursor: Cursor) -> Coder:
    flags = cursor.u8("coder flags")
    method = cursor.bytes(flags & 15, "method").hex()
    inputs = outputs = 1
    if flags & 16:
        inputs, outputs = _number(cursor, "inputs"), _number(cursor, "outputs")
        _bound(cursor, max(inputs, outputs), MOST_CODERS, "streams of a coder")
    size = _number(cursor, "properties") if flags & 32 else 0
    return Coder(method=method, properties=cursor.bytes(size, "properties"), inputs=inputs, outputs=outputs)


def _substreams(cursor: Cursor, folders: list[Folder]) -> list[Folder]:
    counts = [1] * len(folders)
    kinds = _parts(cursor)
    kind = next(kinds, _END)
    if kind == _NUM_STREAMS:
        counts = [_number(cursor, "streams of a folder") for _ in folders]
        _bound(cursor, sum(counts), MOST_FILES, "streams")
        kind = next(kinds, _END)
    sizes = _stream_sizes(cursor, folders, counts, given=kind == _SIZES)
    if kind == _SIZES:
        kind = next(kinds, _END)
    missing = [not (count == 1 and folder.crc is not None) for folder, count in zip(folders, counts, strict=True)]
    unknown = sum(count for count, wanted in zip(counts, missing, strict=True) if wanted)
    digests: list[int | None] = [None] * unknown
    if kind == _CRC:
        digests = _digests(cursor, unknown)
        kind = next(kinds, _END)
    if kind != _END:
        raise _odd(cursor)
    rest = iter(digests)
    return [
        _with(folder, sizes=size, crcs=tuple(islice(rest, count)) if wanted else (folder.crc,))
        for folder, count, size, wanted in zip(folders, counts, sizes, missing, strict=True)
    ]


def _stream_sizes(cursor: Cursor, folders: list[Folder], counts: list[int], *, given: bool) -> list[tuple[int, ...]]:
    """All but the last of a folder are stated."""
    found = []
    for folder, count in zip(folders, counts, strict=True):
        first = [_number(cursor, "size") if given else 0 for _ in range(max(count - 1, 0))]
        last = folder.nbytes - sum(first)
        if last < 0:
            raise _odd(cursor)
        found.append((*first, last) if count else ())
    return found


def _files(cursor: Cursor, folders: list[Folder]) -> Iterator[File]:
    count = _number(cursor, "files")
    _bound(cursor, count, MOST_FILES, "files")
    names = [""] * count
    attributes = [0] * count
    empty = [False] * count
    empty_files: list[bool] = []
    for kind in _parts(cursor):
        size = _number(cursor, "size")
        end = cursor.offset + size
        cursor.count(size, at_least=1, what="property")
        match kind:
            case 14:
                empty = _bits(cursor, count, "empty streams")
            case 15:
                empty_files = _bits(cursor, sum(empty), "empty files")
            case 17 if not cursor.u8("external"):
                names = _names(cursor, end, count)
            case 21:
                attributes = _attributes(cursor, count)
        cursor.offset = end
    yield from _placed(folders, zip(names, attributes, empty, strict=True), iter(empty_files))


def _names(cursor: Cursor, end: int, count: int) -> list[str]:
    text = cursor.bytes(max(end - cursor.offset, 0), "names").decode("utf-16-le", "backslashreplace")
    names = text.split("\0")[:count]
    return names + [""] * (count - len(names))


def _attributes(cursor: Cursor, count: int) -> list[int]:
    there = _optional_bits(cursor, count, "attributes")
    if cursor.u8("external"):
        return [0] * count
    return [cursor.u32("attributes") if defined else 0 for defined in there]


def _placed(folders: list[Folder], listed: Iterable[tuple[str, int, bool]], empty: Iterator[bool]) -> Iterator[File]:
    """Files in their order take the streams in theirs."""
    streams = _every_stream(folders)
    for name, attributes, is_empty in listed:
        link = bool(attributes & 0x8000) and attributes >> 16 & 0o170000 == _LINK
        if is_empty:
            yield File(name=name, nbytes=0, start=0, is_link=False, is_folder=not next(empty, False))
            continue
        folder, start, nbytes, crc = next(streams, (None, 0, 0, None))
        yield File(name=name, nbytes=nbytes, folder=folder, start=start, crc=crc, is_link=link, is_folder=False)


def _every_stream(folders: list[Folder]) -> Iterator[tuple[int | None, int, int, int | None]]:
    """Folder, start in what it unpacks to, size and CRC."""
    for number, folder in enumerate(folders):
        start = 0
        for size, crc in zip(folder.sizes, folder.crcs, strict=False):
            yield number, start, size, crc
            start += size
