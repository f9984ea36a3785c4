"""A repository on a hub as a Listing: nothing of a file is fetched before it is read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

import msgspec

from weigh.core.source import Entry
from weigh.core.value import Value
from weigh.sources.client import Client
from weigh.sources.http import HttpSource
from weigh.sources.refusals import NotFetched
from weigh.sources.request import Access, Answered, Ask, fetch

MOST_ENTRIES = 200_000
MOST_PAGE = 16 << 20  # bytes of one answer that lists files
MOST_FETCHED = 1 << 30  # bytes of all files
MOST_KEPT, KEPT = 128, 16 << 20  # so many small files are asked for once and kept
T = TypeVar("T")

_PIECE = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_ID = re.compile(rf"(?:{_PIECE}/)?{_PIECE}")
_NO_REVISION = re.compile(r"\.\.|[\s~^:?*\[\\]|^[/.-]|[/.]$|^$")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]|^/|^[A-Za-z]:|(?:^|/)\.{0,2}(?:/|$)")


class RemoteFile(Value, frozen=True, kw_only=True):
    """One file: where its bytes are, and the sha256 the hub keeps of it, if it does; `oid` is git's name of its blob,
    for a file in LFS that of the pointer."""

    path: str
    nbytes: int
    url: str
    sha256: str | None = None
    oid: str | None = None


class About(Value, frozen=True, kw_only=True):
    """What a hub says of a revision: the commit it is now, its licence, how it is gated."""

    commit: str | None = None
    licence: str | None = None
    gated: str | None = None


class Repository:
    """The files of one revision. Threads may open different files at once."""

    def __init__(
        self, client: Client, path: str, files: Iterable[RemoteFile], *, access: Access, about: About | None = None
    ) -> None:
        """Raises NotFetched for a listing that names what cannot be a file below a root."""
        self.path = path
        self.files: dict[str, RemoteFile] = {}
        for file in files:
            check_path(file.path, path)
            if not 0 <= file.nbytes < 1 << 62 or len(self.files) == MOST_ENTRIES:
                raise NotFetched("hub.listing", path=path, name=file.path)
            self.files[file.path] = file
        self.entries = tuple(Entry(path=name, nbytes=self.files[name].nbytes) for name in sorted(self.files))
        self.access = access
        self.about = about or About()
        self._client = client
        self._kept: dict[str, HttpSource] = {}
        self._opened: list[HttpSource] = []

    def open(self, path: str) -> HttpSource:
        """The file at `path`, one of the entries' paths. Raises NotFetched once MOST_FETCHED is reached."""
        if (kept := self._kept.get(path)) is not None:
            return kept
        if sum(source.fetched for source in self._opened) > MOST_FETCHED:
            raise NotFetched("hub.budget", path=path, most=MOST_FETCHED)
        file = self.files[path]
        keep = file.nbytes <= KEPT and len(self._kept) < MOST_KEPT
        source = HttpSource(self._client, Ask(url=file.url, path=path, access=self.access), size=file.nbytes, keep=keep)
        self._opened.append(source)
        if keep:
            self._kept[path] = source
        return source

    def read(self, path: str, most: int) -> bytes:
        """The first `most` bytes of the file at `path`. Raises NotFetched."""
        with self.open(path) as source:
            source.expect(0, most)
            return source.read(0, most)


def check_path(path: str, listing: str) -> None:
    """A hub that names a file outside of its own repository is not listened to. Raises NotFetched."""
    if not path or len(path) > 4096 or _UNSAFE.search(path):
        raise NotFetched("hub.path", path=listing, name=path)


def id_of(namespace: str | None, name: str, hub: str) -> str:
    """`namespace/name` as hubs allow it. Raises NotFetched."""
    id = f"{namespace}/{name}" if namespace is not None else name
    if not _ID.fullmatch(id) or "--" in id or ".." in id or id.endswith(".git"):
        raise NotFetched("hub.id", path=f"{hub}:{id}", id=id)
    return id


def check_revision(revision: str, reference: str) -> str:
    """A branch, tag or commit as git allows it. Raises NotFetched."""
    if not revision.isprintable() or _NO_REVISION.search(revision) or len(revision) > 200:
        raise NotFetched("hub.revision", path=reference, revision=revision)
    return revision


def answer_of(client: Client, what: Ask, shape: type[T]) -> tuple[T, Answered]:
    """What a hub answers, by shape; what it says beyond is let be. Raises NotFetched."""
    body, answered = fetch(client, what, most=MOST_PAGE)
    try:
        return msgspec.json.decode(body, type=shape), answered
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        key = "hub.page" if body.lstrip()[:1] == b"<" else "hub.answer"
        raise NotFetched(key, path=what.path, url=what.url) from error
