"""weigh.lock.json: which files of which commit were pulled, each with its hash, and what was found of them."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from weigh.core.errors import SourceError, TableError
from weigh.core.value import Value
from weigh.hubs.repository import check_path
from weigh.store.quarantine import write

NAME = "weigh.lock.json"
VERSION = 1
MOST = 64 << 20  # bytes of one
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OID = re.compile(r"[0-9a-f]{40}")


class LockedFile(Value, frozen=True, kw_only=True):
    """`git_sha1` is given where the hub knows the file by it."""

    path: str
    size: int
    sha256: str
    git_sha1: str | None = None


class Lock(Value, frozen=True, kw_only=True):
    """`schema` is the number of this form; `verdict` what `check` said when they arrived."""

    schema: int
    hub: Literal["hf", "ms", "http", "https"]
    repository: str
    revision: str | None = None
    commit: str | None = None
    licence: str | None = None
    gated: str | None = None
    verdict: str | None = None
    files: tuple[LockedFile, ...]


def read_lock(path: str) -> Lock:
    """Raises SourceError for a file that cannot be read, TableError for one that is no lock."""
    try:
        with open(path, "rb") as file:
            data = file.read(MOST)
    except OSError as error:
        raise SourceError("cannot_read", path=path, reason=error.strerror or str(error)) from error
    try:
        lock = msgspec.json.decode(data, type=Lock)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TableError("store.lock", path=path, problem=str(error)) from error
    for one in lock.files:
        check_path(one.path, path)
        if not _SHA256.fullmatch(one.sha256) or (one.git_sha1 and not _OID.fullmatch(one.git_sha1)) or one.size < 0:
            raise TableError("store.lock", path=path, problem=one.path)
    return lock


def write_lock(path: str, lock: Lock) -> None:
    """All of it or nothing. Raises SourceError."""
    try:
        write(path, msgspec.json.format(msgspec.json.encode(lock), indent=2) + b"\n")
    except OSError as error:
        raise SourceError("store.cannot_write", path=path, reason=error.strerror or str(error)) from error
