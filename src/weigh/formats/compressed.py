"""One compressed file: gzip, bzip2, xz, lzma, zlib, lz4 or zstd; what is inside is opened and judged."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.compressed import Kind, describe, inner_name, is_opened, kind_of, opened
from weigh.codecs.entries import slips
from weigh.codecs.zip import Window
from weigh.core.format import Format
from weigh.core.header import Header, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source


def read(source: Source, kind: Kind) -> Header:
    """What the stream's header says. Raises FormatError."""
    metadata = describe(source, kind)
    problems = [problem for _, problem in _slips(metadata.get("name"))]
    if not is_opened(kind):
        problems.append(Problem(kind="not-decoded", detail=Saying("problem.archive.library", method=kind)))
    return Header(format=kind, metadata=metadata, problems=tuple(problems))


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """The name it would unpack to, where that leads out of the folder."""
    yield from (seen for seen, _ in _slips(header.metadata.get("name")))


def members(source: Source, kind: Kind) -> Iterator[Source]:
    """What is inside; what follows the stream, if anything does. Raises FormatError after what came out."""
    if not is_opened(kind):
        return
    stated = describe(source, kind).get("name")
    done = opened(source, kind)
    if done.data or done.whole:
        name = inner_name(source, stated if isinstance(stated, str) else None)
        yield done.source(f"{source.path}!/{name}")
    if done.error is not None:
        raise done.error
    if done.whole and source.read(done.end, 1 << 16).strip(b"\0"):
        yield Window(source, done.end, source.size - done.end, path=f"{source.path}!/@{done.end}")


def _slips(name: object) -> Iterator[tuple[Observation, Problem]]:
    return slips([(name, None, 0)] if isinstance(name, str) else [])


def _format(kind: Kind, *suffixes: str) -> Format:
    return Format(
        name=kind,
        suffixes=suffixes,
        matches=lambda source: kind_of(source) == kind,
        read=lambda source: read(source, kind),
        examine=examine,
        is_model=False,
        members=lambda source: members(source, kind),
    )


GZIP = _format("gzip", ".gz", ".tgz")
BZIP2 = _format("bzip2", ".bz2", ".tbz", ".tbz2")
XZ = _format("xz", ".xz", ".txz")
LZMA = _format("lzma", ".lzma")
ZLIB = _format("zlib", ".z", ".zlib")
LZ4 = _format("lz4", ".lz4")
ZSTD = _format("zstd", ".zst", ".zstd")
FORMATS = (GZIP, BZIP2, XZ, ZSTD, LZ4, LZMA, ZLIB)
