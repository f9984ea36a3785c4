"""The first bytes of a ZIP's member, without inflating the rest."""

from __future__ import annotations

import zlib

from weigh.codecs.zip import DEFLATED, STORED, Member, Window, data_offset
from weigh.core.errors import Malformed
from weigh.core.source import Source
from weigh.sources.memory import MemorySource

_STEP = 1 << 14


def open_head(source: Source, member: Member, most: int) -> Source:
    """The member's content if it is stored; up to `most` bytes of it if it is deflated. Raises FormatError."""
    path = f"{source.path}!/{member.name}"
    start = data_offset(source, member)
    if member.method == STORED:
        return Window(source, start, min(member.packed, max(source.size - start, 0)), path=path)
    if member.method != DEFLATED:
        raise Malformed("zip.method", path=path, offset=member.offset, method=member.method)
    return MemorySource(_head(source, start, min(start + member.packed, source.size), most), path=path)


def _head(source: Source, start: int, end: int, most: int) -> bytes:
    inflater, head, at = zlib.decompressobj(-15), b"", start
    try:
        while at < end and len(head) < most and not inflater.eof:
            packed = source.read(at, min(_STEP, end - at))
            at += len(packed)
            head += inflater.decompress(packed, most - len(head))
    except zlib.error as error:
        raise Malformed("zip.deflate", path=source.path, offset=at) from error
    return head
