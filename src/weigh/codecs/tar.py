"""TAR: headers walked one after another, members as windows; POSIX.1-2017 pax and GNU's extensions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from weigh.codecs.cursor import Cursor
from weigh.core.errors import Malformed, OverBudget, Truncated
from weigh.core.source import Source
from weigh.core.value import Value

BLOCK = 512
MOST_ENTRIES = 10_000
MOST_EXTENDED = 1 << 20  # bytes of one long name or of one pax header
MOST_HEADERS = 8  # extended headers before one entry

Kind = Literal["file", "folder", "hardlink", "symlink", "device", "sparse"]
_KINDS: dict[bytes, Kind] = {
    b"0": "file", b"\0": "file", b"7": "file", b"1": "hardlink", b"2": "symlink", b"3": "device", b"4": "device",
    b"5": "folder", b"6": "device", b"S": "sparse", b"D": "folder",
}  # fmt: skip


class Entry(Value, frozen=True, kw_only=True):
    """One member: `offset` is that of its header, `start` that of its bytes; `link` is where a link leads."""

    name: str
    kind: Kind
    nbytes: int
    offset: int
    start: int
    link: str | None = None


def is_tar(source: Source) -> bool:
    """Does a header with a right checksum stand first?"""
    block = source.read(0, BLOCK)
    return len(block) == BLOCK and block[0] != 0 and _sums_up(block)


def walk(source: Source) -> Iterator[Entry]:
    """Every entry up to the end mark. Raises FormatError after those before it."""
    cursor = Cursor(source)
    extended: dict[str, str] = {}
    headers = 0
    for _ in range(MOST_ENTRIES * 2):
        offset = cursor.offset
        block = _block(cursor)
        if not block.strip(b"\0"):
            return
        if not _sums_up(block):
            raise Malformed("tar.checksum", path=source.path, offset=offset)
        if block[156:157] in b"LKxgXV":
            headers += 1
            if headers > MOST_HEADERS:
                raise Malformed("tar.headers", path=source.path, offset=offset, most=MOST_HEADERS)
            extended |= _extension(cursor, block, offset)
            continue
        entry = _entry(cursor, block, extended, offset)
        extended, headers = {}, 0
        yield entry
        cursor.skip(min(_padded(entry.nbytes), max(cursor.left, entry.nbytes)), entry.name)
    raise OverBudget("tar.entries", path=source.path, offset=cursor.offset, most=MOST_ENTRIES)


def end_of(source: Source, last: Entry | None) -> int:
    """Bytes behind the end mark that are not zeros; what follows the first 64 KiB of them is not looked at."""
    start = _padded(last.nbytes) + last.start if last is not None else 0
    return len(source.read(start, 1 << 16).strip(b"\0"))


def has_end_mark(source: Source, last: Entry | None) -> bool:
    """Two blocks of zeros, as POSIX wants; and is the whole a number of blocks, as every writer leaves it?"""
    start = _padded(last.nbytes) + last.start if last is not None else 0
    return source.size % BLOCK == 0 and len(source.read(start, 2 * BLOCK)) == 2 * BLOCK


def _block(cursor: Cursor) -> bytes:
    if cursor.left == 0:
        return b""  # without an end mark: every reader takes that
    if cursor.left < BLOCK:
        raise Truncated(
            "past_end", path=cursor.source.path, offset=cursor.offset, what="header", length=BLOCK, left=cursor.left
        )
    return cursor.bytes(BLOCK, "header")


def _entry(cursor: Cursor, block: bytes, extended: dict[str, str], offset: int) -> Entry:
    kind = _KINDS.get(block[156:157], "file")
    name = extended.get("path") or _name(block)
    nbytes = _size(extended.get("size"), block, cursor, offset)
    if kind == "sparse":
        _skip_sparse_maps(cursor, block)
    if any(key.startswith("GNU.sparse.") for key in extended):
        kind, name = "sparse", extended.get("GNU.sparse.name", name)
    if kind == "file" and name.endswith("/"):
        kind = "folder"
    link = extended.get("linkpath") or _text(block[157:257])
    return Entry(
        name=name,
        kind=kind,
        nbytes=nbytes if kind in ("file", "sparse") else 0,
        offset=offset,
        start=cursor.offset,
        link=link if kind in ("hardlink", "symlink") else None,
    )


def _size(stated: str | None, block: bytes, cursor: Cursor, offset: int) -> int:
    if stated is not None and stated.isascii() and stated.isdigit() and len(stated) < 20:
        return int(stated)
    size = _number(block[124:136])
    if size is None:
        raise Malformed("tar.size", path=cursor.source.path, offset=offset + 124)
    return size


def _skip_sparse_maps(cursor: Cursor, block: bytes) -> None:
    """GNU's old form: blocks of further holes stand between the header and the bytes."""
    more = block[482]
    for _ in range(1000):
        if not more:
            return
        more = cursor.bytes(BLOCK, "sparse map")[504]
    raise Malformed("tar.sparse", path=cursor.source.path, offset=cursor.offset)


def _extension(cursor: Cursor, block: bytes, offset: int) -> dict[str, str]:
    """GNU's long names and pax records; of a global header too little depends on to keep it."""
    nbytes = _number(block[124:136])
    if nbytes is None:
        raise Malformed("tar.size", path=cursor.source.path, offset=offset + 124)
    if nbytes > MOST_EXTENDED:
        raise OverBudget(
            "too_long",
            path=cursor.source.path,
            offset=offset,
            what="extended header",
            length=nbytes,
            most=MOST_EXTENDED,
        )
    data = cursor.bytes(nbytes, "extended header")
    cursor.skip(min(_padded(nbytes) - nbytes, cursor.left), "extended header")
    match block[156:157]:
        case b"L":
            return {"path": _text(data)}
        case b"K":
            return {"linkpath": _text(data)}
        case b"x" | b"X":
            return _records(data)
        case _:
            return {}


def _records(data: bytes) -> dict[str, str]:
    """`LENGTH KEY=VALUE\\n`, as far as they hold."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data) and len(found) < 100:
        digits, _, _ = data[at : at + 20].partition(b" ")
        if not digits.isdigit() or int(digits) <= len(digits) + 2:
            break
        key, _, value = data[at + len(digits) + 1 : at + int(digits) - 1].partition(b"=")
        found[key.decode("utf-8", "backslashreplace")] = value.decode("utf-8", "backslashreplace")
        at += int(digits)
    return found


def _name(block: bytes) -> str:
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else ""
    name = _text(block[:100])
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    """Up to the first zero: so do all readers."""
    return field.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _number(field: bytes) -> int | None:
    """Octal digits, or GNU's base 256."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    return int(digits or b"0", 8) if not digits.strip(b"01234567") else None


def _sums_up(block: bytes) -> bool:
    """The sum of all bytes, its own eight taken as spaces; some old writers summed signed ones."""
    stated = _number(block[148:156]) if block[148:156].strip(b" \0") else None
    if stated is None:
        return False
    total = sum(block) - sum(block[148:156]) + 8 * 32
    return stated == total or stated == total - 256 * sum(byte > 127 for byte in block[:148] + block[156:])


def _padded(nbytes: int) -> int:
    return nbytes + -nbytes % BLOCK
