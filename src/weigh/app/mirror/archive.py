"""A model as one file for where no network goes: packed with every hash, unpacked only if each of them is right."""

from __future__ import annotations

import io
import os
import platform
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import IO

import msgspec

from weigh.app.mirror.shelf import is_id
from weigh.app.mirror.snapshot import Snapshot, StoredFile, look_of
from weigh.app.signing import Step
from weigh.codecs.tar import MOST_ENTRIES, Entry, walk
from weigh.core.errors import SourceError
from weigh.core.value import Value
from weigh.hubs.repository import check_path
from weigh.sources.file import FileSource
from weigh.store.lock import LockedFile
from weigh.store.quarantine import twin

MANIFEST, SIGNATURE, FILES = "weigh.manifest.json", "model.sig", "files/"
SIGNED = "signed"  # the folder that a signature is over, while it is made or verified
VERSION = 2  # since then the signature is over the manifest as well: whose model it is, and what it is called
UNSIGNED = (1, VERSION)  # forms that are read where no signature is asked for
MOST_MANIFEST = 64 << 20  # bytes
PIECE = 1 << 20


class Manifest(Value, frozen=True, kw_only=True):
    """`schema` is the number of this form; `verdict` what `check` said when it was packed."""

    schema: int
    repository: str
    commit: str
    verdict: str
    files: tuple[LockedFile, ...]


def pack(snapshot: Snapshot, verdict: str, target: str, sign: Step | None) -> Manifest:
    """Writes the archive, whole or not at all. Raises SourceError, also for a file that is not what was hashed."""
    if len(snapshot.files) > MOST_ENTRIES:
        raise SourceError("archives.many", path=snapshot.folder, most=MOST_ENTRIES)
    manifest = Manifest(
        schema=VERSION,
        repository=snapshot.place.id,
        commit=snapshot.commit,
        verdict=verdict,
        files=tuple(
            LockedFile(path=path, size=file.nbytes, sha256=file.sha256, git_sha1=file.git)
            for path, file in sorted(snapshot.files.items())
        ),
    )
    temporary = f"{target}.{os.getpid()}.tmp"
    try:
        with tarfile.open(temporary, "w", format=tarfile.PAX_FORMAT) as tar:
            told = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
            _add(tar, MANIFEST, told)
            if sign is not None:
                _add(tar, SIGNATURE, _signature(snapshot, told, f"{target}.{os.getpid()}.view", sign))
            for file in (snapshot.files[path] for path in sorted(snapshot.files)):
                _add_file(tar, file)
        os.replace(temporary, target)
    except OSError as error:
        raise SourceError("store.cannot_write", path=target, reason=error.strerror or str(error)) from error
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)
    return manifest


@contextmanager
def unpacked(archive: str, beside: str, verify: Step | None) -> Iterator[tuple[Manifest, str]]:
    """The manifest, and a folder with every file verified; the folder is gone afterwards if nobody took it.

    Raises WeighError for whatever is not exactly what the manifest says.
    """
    work = os.path.join(beside, ".weigh", f"import-{platform.node()}-{os.getpid()}")
    try:
        _swept(os.path.dirname(work))
        os.makedirs(os.path.join(work, SIGNED))
        with FileSource(archive) as source:
            manifest = _unpack(source, archive, work)
        signature = os.path.join(work, SIGNATURE)
        if verify is not None:
            if not os.path.exists(signature) or manifest.schema != VERSION:
                raise SourceError("archives.unsigned", path=archive)
            verify(os.path.join(work, SIGNED), signature)
        yield manifest, os.path.join(work, SIGNED, "files")
    except OSError as error:
        raise SourceError("store.cannot_write", path=work, reason=error.strerror or str(error)) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
        with suppress(OSError):
            os.rmdir(os.path.dirname(work))


def _swept(folder: str) -> None:
    """Without what imports on this machine left that were killed."""
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        stem, _, process = name.rpartition("-")
        if stem == f"import-{platform.node()}" and process.isdecimal() and not _is_alive(int(process)):
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)


def _is_alive(process: int) -> bool:
    if os.name != "posix":  # elsewhere to ask is to end it
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def place(folder: str, root: str, id: str) -> None:
    """The folder under its own name, in one step. Raises SourceError where something is there, or where a link leads
    out of the root."""
    target = os.path.join(root, *id.split("/"))
    try:
        inside = os.path.realpath(root).rstrip(os.sep) + os.sep
        if not os.path.realpath(os.path.dirname(target)).startswith(inside):
            raise SourceError("archives.outside", path=target)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.lexists(target):
            raise SourceError("archives.there", path=target)
        os.rename(folder, target)
    except OSError as error:
        raise SourceError("store.cannot_write", path=target, reason=error.strerror or str(error)) from error


def _unpack(source: FileSource, archive: str, work: str) -> Manifest:
    """The manifest comes first; after it nothing that it does not name, and no name twice."""
    entries = walk(source)
    first = next(entries, None)
    if first is None or first.name != MANIFEST or first.kind != "file" or first.nbytes > MOST_MANIFEST:
        raise SourceError("archives.no_manifest", path=archive)
    told = source.read(first.start, first.nbytes)
    manifest = _manifest(told, archive)
    with open(os.path.join(work, SIGNED, MANIFEST), "xb") as kept:
        kept.write(told)
    left = {FILES + file.path: file for file in manifest.files}
    os.mkdir(os.path.join(work, SIGNED, "files"))
    for entry in entries:
        if entry.kind != "file":
            raise SourceError("archives.kind", path=archive, name=entry.name)
        if entry.name == SIGNATURE and entry.nbytes <= MOST_MANIFEST:
            with open(os.path.join(work, SIGNATURE), "xb") as file:
                file.write(source.read(entry.start, entry.nbytes))
            continue
        wanted = left.pop(entry.name, None)
        if wanted is None:
            raise SourceError("archives.unnamed", path=archive, name=entry.name)
        _write(source, entry, os.path.join(work, SIGNED, *entry.name.split("/")), wanted, archive)
    if left:
        raise SourceError("archives.lacks", path=archive, name=min(left))
    return manifest


def _manifest(data: bytes, archive: str) -> Manifest:
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SourceError("archives.no_manifest", path=archive) from error
    paths = {file.path for file in manifest.files}
    if not is_id(manifest.repository) or len(paths) != len(manifest.files) or manifest.schema not in UNSIGNED:
        raise SourceError("archives.no_manifest", path=archive)
    for path in paths:
        check_path(path, archive)
    return manifest


def _write(source: FileSource, entry: Entry, path: str, wanted: LockedFile, archive: str) -> None:
    running = sha256()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "xb") as file:
        for at in range(0, entry.nbytes, PIECE):
            data = source.read(entry.start + at, min(PIECE, entry.nbytes - at))
            running.update(data)
            file.write(data)
    if entry.nbytes != wanted.size or running.hexdigest() != wanted.sha256:
        raise SourceError("archives.hash", path=archive, name=wanted.path)


def _signature(snapshot: Snapshot, told: bytes, view: str, sign: Step) -> bytes:
    """Over the manifest and the files that are packed, and no others."""
    try:
        for path, file in snapshot.files.items():
            twin(file.real, os.path.join(view, SIGNED, "files", *path.split("/")))
        with open(os.path.join(view, SIGNED, MANIFEST), "xb") as kept:
            kept.write(told)
        sign(os.path.join(view, SIGNED), os.path.join(view, SIGNATURE))
        with open(os.path.join(view, SIGNATURE), "rb") as made:
            return made.read()
    finally:
        shutil.rmtree(view, ignore_errors=True)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def _add_file(tar: tarfile.TarFile, stored: StoredFile) -> None:
    info = tarfile.TarInfo(FILES + stored.path)
    info.size = stored.nbytes
    with open(stored.real, "rb") as file:
        reader = _Hashing(file)
        tar.addfile(info, reader)  # type: ignore[arg-type]
        if look_of(os.fstat(file.fileno())) != stored.look or reader.running.hexdigest() != stored.sha256:
            raise SourceError("archives.changed", path=stored.real)


class _Hashing:
    """What is read of a file is hashed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.running = sha256()

    def read(self, count: int) -> bytes:
        data = self._file.read(count)
        self.running.update(data)
        return data
