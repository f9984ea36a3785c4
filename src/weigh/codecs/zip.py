"""ZIP: the central directory by hand, members as Sources; PKWARE's APPNOTE 6.3.10."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from weakref import WeakKeyDictionary

from weigh.codecs import zstandard
from weigh.codecs.cursor import Cursor
from weigh.codecs.unpacking import bunzipper, inflater, unpack, unxzer
from weigh.core.errors import FormatError, Malformed, OverBudget, Truncated
from weigh.core.source import Source
from weigh.core.value import Value
from weigh.sources.distant import distant
from weigh.sources.memory import MemorySource

MOST_MEMBERS = 100_000
MOST_INFLATED = 96 << 20
STORED, DEFLATED = 0, 8
ZSTD = 93
ENCRYPTED = 0x1
# The methods that hold one stream of a decoder of ours (APPNOTE 4.4.5).
OPENED = {DEFLATED: lambda: inflater(-15), 12: bunzipper, 95: unxzer}

_MOST_LOCAL = 4096  # of a local header and of the small members behind one, as a guess
_LATER = 0x8  # sizes and checksum stand behind the data
_END = b"PK\x05\x06"
_END_BYTES = 22
_MOST_COMMENT = 65535
_LOCATOR = struct.Struct("<4sIQI")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_LOCAL = struct.Struct("<4sHHHHHIIIHH")


class Member(Value, frozen=True, kw_only=True):
    """One entry of the central directory; `offset` is that of its local header, `mode` Unix's, where it is given."""

    name: str
    method: int
    flags: int
    crc: int
    packed: int
    nbytes: int
    offset: int
    mode: int | None = None

    @property
    def is_link(self) -> bool:
        """A symbolic link, whose content is where it leads."""
        return self.mode is not None and self.mode & 0o170000 == 0o120000

    @property
    def is_encrypted(self) -> bool:
        """Says so; readers that do not look at the flag read the bytes as they are, and so do we."""
        return bool(self.flags & ENCRYPTED)


class Directory(Value, frozen=True, kw_only=True):
    """What the archive holds, in its own order, doubles included; how many bytes of the file stand outside it."""

    members: tuple[Member, ...]
    before: int
    after: int


# Several formats are zips and each asks for the directory, which may be long. An error is kept as what makes it anew:
# its traceback would hold the Source that it is kept for.
_WALKED: WeakKeyDictionary[Source, Directory | Callable[[], FormatError]] = WeakKeyDictionary()


def read_directory(source: Source) -> Directory:
    """Every entry of the central directory, walked once for each Source. Raises FormatError."""
    known = _WALKED.get(source)
    if known is None:
        try:
            known = _walk(source)
        except FormatError as error:
            known = _anew(error)
        _WALKED[source] = known
    if isinstance(known, Directory):
        return known
    raise known()


def _anew(error: FormatError) -> Callable[[], FormatError]:
    kind, path, offset, saying = type(error), error.path, error.offset, error.saying
    key = saying.key.removeprefix("error.")
    return lambda: kind(key, path=path, offset=offset, **saying.values)


def _walk(source: Source) -> Directory:
    count, size, offset, shift, after = _end(source)
    if count > MOST_MEMBERS:
        raise OverBudget("zip.members", path=source.path, offset=offset, count=count, most=MOST_MEMBERS)
    _expect(source, offset, size)
    cursor = Cursor(source, offset=offset, end=offset + size)
    cursor.count(count, at_least=_CENTRAL.size, what="total entries")
    data = cursor.bytes(min(size, cursor.left), "central directory")
    members = tuple(_members(data, count, shift, source, offset))
    return Directory(members=members, before=shift, after=after)


def is_zip(source: Source) -> bool:
    """Has it a central directory that can be found?"""
    if source.read(0, 2) != b"PK" and _find_end(source) is None:
        return False
    try:
        _end(source)
    except FormatError:
        return False
    return True


def open_member(source: Source, member: Member) -> Source:
    """The member's content: a window into the file if it is stored, inflated into memory if it is deflated.

    Raises FormatError for another method, a damaged stream or more than MOST_INFLATED bytes.
    """
    path = f"{source.path}!/{member.name}"
    _expect(source, member.offset, member.packed + _MOST_LOCAL)
    start = data_offset(source, member)
    if member.packed > source.size - start:
        raise Truncated(
            "past_end",
            path=path,
            offset=start,
            what=member.name,
            length=member.packed,
            left=max(source.size - start, 0),
        )
    match member.method:
        case 0:
            return Window(source, start, member.packed, path=path)
        case 8:
            return MemorySource(_inflated(source, member, start, path), path=path)
        case method:
            raise Malformed("zip.method", path=path, offset=member.offset, method=method)


def open_beginning(source: Source, member: Member) -> Source:
    """The member's content by any of OPENED's methods; said to be cut where it is more than MOST_UNPACKED or damaged.

    Raises FormatError where not one byte comes out.
    """
    if member.method == STORED:
        return open_member(source, member)
    path = f"{source.path}!/{member.name}"
    start = data_offset(source, member)
    if member.method == ZSTD:
        done = zstandard.unpack(Window(source, start, member.packed, path=path))
    else:
        done = unpack(source, start, start + member.packed, OPENED[member.method])
    if done.error is not None and not done.data:
        raise done.error
    return done.source(path)


def data_offset(source: Source, member: Member) -> int:
    """Where the member's bytes begin, by its local header. Raises FormatError."""
    return _local(source, member)[0]


def is_named_alike(source: Source, member: Member) -> bool:
    """Do its local header and the directory give it one name? Readers go by either. Raises FormatError."""
    return _local(source, member)[1]


def differing(source: Source, member: Member) -> str | None:
    """The first field in which its local header and the directory disagree: readers go by either."""
    local = source.read(member.offset, _LOCAL.size)
    if len(local) < _LOCAL.size:
        return None
    _, _, flags, method, _, _, crc, packed, nbytes, _, _ = _LOCAL.unpack(local)
    told = [("method", method, member.method), ("flags", flags & ~_LATER, member.flags & ~_LATER)]
    if not flags & _LATER and 0xFFFFFFFF not in (packed, nbytes):
        told += [("CRC-32", crc, member.crc), ("size", nbytes, member.nbytes), ("packed size", packed, member.packed)]
    return next((field for field, here, there in told if here != there), None)


def is_summed_right(source: Source, member: Member) -> bool:
    """Is the checksum that of the bytes? Zero is what torch writes where it was told not to work it out."""
    if member.crc == 0:
        return True
    try:
        content = open_member(source, member)
    except FormatError:
        return True  # told elsewhere
    return zlib.crc32(content.read(0, content.size)) == member.crc


def _local(source: Source, member: Member) -> tuple[int, bool]:
    name = member.name.encode("utf-8", "surrogateescape")
    local = source.read(member.offset, _LOCAL.size + len(name))
    if len(local) < _LOCAL.size or local[:4] != b"PK\x03\x04":
        raise Malformed("zip.local", path=source.path, offset=member.offset, name=member.name)
    *_, name_length, extra_length = _LOCAL.unpack_from(local)
    alike = name_length == len(name) and local[_LOCAL.size :] == name
    return member.offset + _LOCAL.size + int(name_length) + int(extra_length), alike or "\\" in member.name


class Window:
    """A stretch of another Source as a Source of its own."""

    def __init__(self, source: Source, offset: int, nbytes: int, *, path: str) -> None:
        self.path = path
        self.size = nbytes
        self._source = source
        self._offset = offset

    @property
    def distant(self) -> Window | None:
        """Itself, if what it is a stretch of is far away."""
        return self if distant(self._source) is not None else None

    def at_hand(self, offset: int) -> int:
        """How many bytes from `offset` on are here already."""
        far = distant(self._source)
        return max(min(far.at_hand(self._offset + offset), self.size - offset), 0) if far is not None else self.size

    def expect(self, offset: int, length: int) -> None:
        """About so many bytes from `offset` on will be read next."""
        _expect(self._source, self._offset + offset, min(length, self.size - offset))

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset`, fewer than `length` only at the end. Raises SourceError."""
        return self._source.read(self._offset + offset, max(min(length, self.size - offset), 0))


def outermost(source: Source) -> tuple[Source, int]:
    """What a window looks into, through all windows, and where in that it begins; else the Source itself."""
    at = 0
    while isinstance(source, Window):
        at += source._offset
        source = source._source
    return source, at


def _expect(source: Source, offset: int, length: int) -> None:
    """Tell a source far away what will be read next."""
    if (far := distant(source)) is not None:
        far.expect(offset, length)


def _find_end(source: Source) -> tuple[int, bytes] | None:
    """Offset and content of the last end record that is whole: the one that other readers take."""
    for reach in (1024, _END_BYTES + _MOST_COMMENT):
        start = max(source.size - reach, 0)
        tail = source.read(start, source.size - start)
        at = tail.rfind(_END, 0, max(len(tail) - _END_BYTES + len(_END), 0))
        if at >= 0:
            return start + at, tail[at : at + _END_BYTES]
    return None


def _end(source: Source) -> tuple[int, int, int, int, int]:
    """Entries, bytes and offset of the central directory; the bytes before the zip and behind it."""
    found = _find_end(source)
    if found is None:
        raise Truncated("zip.no_end", path=source.path, offset=source.size)
    at, record = found
    _, _, _, _, count, size, offset, comment = struct.unpack("<4sHHHHIIH", record)
    after = source.size - at - _END_BYTES - int(comment)
    count, size, offset, end = _end64(source, at) or (count, size, offset, at)
    shift = end - size - offset
    if shift < 0:
        raise Malformed("zip.directory", path=source.path, offset=at)
    return count, size, offset + shift, shift, max(after, 0)


def _end64(source: Source, end: int) -> tuple[int, int, int, int] | None:
    locator = source.read(max(end - _LOCATOR.size, 0), _LOCATOR.size)
    if len(locator) < _LOCATOR.size or locator[:4] != b"PK\x06\x07":
        return None
    at = _LOCATOR.unpack(locator)[2]
    record = source.read(at, _END64.size)
    if len(record) < _END64.size or record[:4] != b"PK\x06\x06":
        at = end - _LOCATOR.size - _END64.size  # bytes stand before the zip
        record = source.read(max(at, 0), _END64.size)
        if len(record) < _END64.size or record[:4] != b"PK\x06\x06":
            raise Malformed("zip.directory", path=source.path, offset=end)
    *_, count, size, offset = _END64.unpack(record)
    return count, size, offset, at


def _members(data: bytes, count: int, shift: int, source: Source, start: int) -> Iterator[Member]:
    """Entries one behind another; there may be very many, so they are taken from one block of bytes."""
    at = 0
    for _ in range(count):
        fields = data[at : at + _CENTRAL.size]
        if len(fields) < _CENTRAL.size:
            raise _short(source, start + at, _CENTRAL.size, len(fields))
        signature, _, _, flags, method, _, _, crc, packed, nbytes, *lengths, _, _, mode, offset = _CENTRAL.unpack(
            fields
        )
        if signature != b"PK\x01\x02":
            raise Malformed("zip.central", path=source.path, offset=start + at)
        name_at = at + _CENTRAL.size
        extra_at = name_at + lengths[0]
        at = extra_at + lengths[1] + lengths[2]
        if at > len(data):
            raise _short(source, start + name_at, at - name_at, len(data) - name_at)
        if 0xFFFFFFFF in (packed, nbytes, offset):
            nbytes, packed, offset = _zip64(data[extra_at : extra_at + lengths[1]], nbytes, packed, offset)
        yield Member(
            name=data[name_at:extra_at].decode("utf-8", "backslashreplace"),
            method=method,
            flags=flags,
            crc=crc,
            packed=packed,
            nbytes=nbytes,
            offset=offset + shift,
            mode=mode >> 16,
        )


def _short(source: Source, offset: int, length: int, left: int) -> Truncated:
    return Truncated("past_end", path=source.path, offset=offset, what="central directory", length=length, left=left)


def _zip64(extra: bytes, *values: int) -> tuple[int, ...]:
    """The true sizes and offset: those given as all ones stand in the extra field 0x0001, in this order."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            body = extra[at + 4 : at + 4 + length]
            wide = iter(struct.unpack(f"<{len(body) // 8}Q", body[: len(body) // 8 * 8]))
            return tuple(next(wide, value) if value == 0xFFFFFFFF else value for value in values)
        at += 4 + length
    return values


def _inflated(source: Source, member: Member, start: int, path: str) -> bytes:
    if member.nbytes > MOST_INFLATED:
        raise OverBudget("zip.inflated", path=path, offset=start, most=MOST_INFLATED)
    done = unpack(source, start, start + member.packed, OPENED[DEFLATED], most=member.nbytes)
    if isinstance(done.error, Malformed) or (done.error is None and not done.whole):  # the directory lies about it
        raise Malformed("zip.deflate", path=path, offset=done.end)
    return done.data
