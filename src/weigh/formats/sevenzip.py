"""A 7z archive: folders that the standard library unpacks are opened, the methods of the rest are named."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from weigh.codecs.entries import slips
from weigh.codecs.sevenzip import METHODS, is_sevenzip, read_archive, undecoded, unpack_folder
from weigh.codecs.sevenzip_header import Archive, File, Folder
from weigh.core.errors import Malformed
from weigh.core.format import Format
from weigh.core.header import Header, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.sources.memory import CutSource, MemorySource


def matches(source: Source) -> bool:
    """The six bytes of its signature."""
    return is_sevenzip(source)


def read(source: Source) -> Header:
    """How much is in it, by which methods it is packed. Raises FormatError."""
    archive = read_archive(source)
    files = [file for file in archive.files if not file.is_folder]
    methods = sorted({METHODS.get(c.method, c.method) for folder in archive.folders for c in folder.coders})
    return Header(
        format="7z",
        version=archive.version,
        metadata={"members": len(files), "nbytes": sum(file.nbytes for file in files), "methods": tuple(methods)},
        problems=tuple(_problems(archive)),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Names that lead out of the archive; source code in it."""
    archive = read_archive(source)
    yield from (seen for seen, _ in slips((file.name, None, 0) for file in archive.files))
    for file in archive.files:
        if file.name.endswith(".py"):
            yield Observation(kind="code", value=file.name, where=file.name)


def members(source: Source) -> Iterator[Source]:
    """Every file of a folder that can be unpacked; a folder is unpacked once, as far as is allowed."""
    archive = read_archive(source)
    by_folder: dict[int, list[File]] = {}
    for file in archive.files:
        if file.folder is not None:
            by_folder.setdefault(file.folder, []).append(file)
    for number, files in by_folder.items():
        folder = archive.folders[number]
        if undecoded(folder) is None:
            yield from _opened(source, folder, files)
    yield from (MemorySource(b"", path=f"{source.path}!/{file.name}") for file in archive.files if _is_empty(file))


def _is_empty(file: File) -> bool:
    return file.folder is None and not file.is_folder


def _opened(source: Source, folder: Folder, files: list[File]) -> Iterator[Source]:
    """A file whose checksum is wrong is looked at all the same. Raises Malformed after the folder's files."""
    done = unpack_folder(source, folder)
    everything = memoryview(done.data)
    wrong: list[str] = []
    for file in files:
        path = f"{source.path}!/{file.name}"
        data = everything[file.start : file.start + file.nbytes]
        if len(data) == file.nbytes and file.crc is not None and zlib.crc32(data) != file.crc:
            wrong.append(file.name)
        whole = len(data) == file.nbytes and file.name not in wrong
        yield MemorySource(data, path=path) if whole else CutSource(data, path=path)
    if wrong:
        raise Malformed("sevenzip.crc", path=source.path, what=wrong[0])
    if done.error is not None:
        raise done.error


def _problems(archive: Archive) -> Iterator[Problem]:
    yield from (problem for _, problem in slips((file.name, None, 0) for file in archive.files))
    for number, folder in enumerate(archive.folders):
        if (method := undecoded(folder)) is not None:
            names = ", ".join(file.name for file in archive.files if file.folder == number)
            kind = "encrypted" if "AES" in method else "not-decoded"
            detail = Saying("problem.archive.method", name=names[:200], method=method)
            yield Problem(kind=kind, detail=detail)


FORMAT = Format(
    name="7z",
    suffixes=(".7z",),
    matches=matches,
    read=read,
    examine=examine,
    is_model=False,
    members=members,
)
