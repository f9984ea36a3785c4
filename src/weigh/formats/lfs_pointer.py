"""A Git LFS pointer: three lines of text that stand for a file kept elsewhere.

https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from weigh.core.errors import Malformed
from weigh.core.format import Format
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Source

MOST_BYTES = 1024  # the specification's own bound
_FIRST = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")
_OID = re.compile(rb"^oid sha256:([0-9a-f]{64})\r?$", re.MULTILINE)
_SIZE = re.compile(rb"^size ([0-9]{1,20})\r?$", re.MULTILINE)


def matches(source: Source) -> bool:
    """The first line of the specification."""
    return source.size <= MOST_BYTES and source.read(0, 64).startswith(_FIRST)


def read(source: Source) -> Header:
    """The hash and the size of the file it stands for. Raises Malformed."""
    text = source.read(0, MOST_BYTES)
    oid, size = _OID.search(text), _SIZE.search(text)
    if oid is None or size is None:
        raise Malformed("lfs.fields", path=source.path, offset=0)
    return Header(format="git-lfs-pointer", metadata={"oid": "sha256:" + oid[1].decode(), "size": int(size[1])})


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """The pointer, with the size of what it stands for."""
    yield Observation(kind="pointer", value=str(header.metadata.get("size", "")))


FORMAT = Format(name="git-lfs-pointer", suffixes=(), matches=matches, read=read, examine=examine, is_model=False)
