"""The members of a ZIP held against the checksums that its directory gives for them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from weigh.codecs.zip import DEFLATED, STORED, Member, open_member
from weigh.core.errors import FormatError
from weigh.core.header import Problem
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.sources.distant import distant

MOST_SUMMED = 32 << 20  # bytes of one archive
_STEP = 1 << 20


def wrong_sums(source: Source, members: Iterable[Member]) -> Iterator[Problem]:
    """Of the first so many bytes; zipfile, and what reads by it, refuses such a member. None of a file far away."""
    left = MOST_SUMMED if distant(source) is None else 0
    for member in members:
        left -= member.nbytes
        if left < 0:
            return
        if member.method in (STORED, DEFLATED) and not member.is_encrypted and not _is_right(source, member):
            yield Problem(kind="malformed", detail=Saying("problem.zip.crc", name=member.name), offset=member.offset)


def _is_right(source: Source, member: Member) -> bool:
    try:
        content = open_member(source, member)
    except FormatError:
        return True  # told where it is opened
    total = 0
    for at in range(0, content.size, _STEP):
        total = zlib.crc32(content.read(at, _STEP), total)
    return total == member.crc
