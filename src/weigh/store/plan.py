"""What a pull would do, before it does anything: which files, how many bytes, from where, what is here already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from weigh.core.value import Value
from weigh.hubs.repository import RemoteFile
from weigh.sources.request import Access, Ask
from weigh.store.digest import Digest
from weigh.store.layouts.layout import Address, Listed
from weigh.store.select import Left, Selection

Find = Callable[[str, int, Digest], str | None]  # where this content is on this machine
SMALL = 4 << 20  # a file of so many bytes is asked of another hub though only one of them tells a sha256


class Item(Value, frozen=True, kw_only=True):
    """A file that is wanted. `nbytes` is None if nobody says, `here` where its content seems to be on this machine.

    `blob` is the hash that a cache calls it by, where that is not the one it is held against.
    """

    path: str
    nbytes: int | None
    digest: Digest
    blob: Digest | None = None
    sources: tuple[Ask, ...] = ()
    here: str | None = None
    is_fresh: bool = False


class Plan(Value, frozen=True, kw_only=True):
    """`hub` and `address` say which revision, `destination` the root it goes to, `room` how many bytes are free there.

    `tag` is the one quantisation that is taken; `tree` lists the whole commit, where the hub does; `lock` is where to
    write down what was pulled, None for beside it in a plain folder.
    """

    hub: str
    address: Address
    items: tuple[Item, ...]
    left: tuple[Left, ...] = ()
    tag: str | None = None
    licence: str | None = None
    gated: str | None = None
    layout: str
    destination: str
    room: int | None = None
    tree: Mapping[str, Listed] | None = None
    lock: str | None = None
    is_remembered: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes of all that is wanted."""
        return sum(item.nbytes or 0 for item in self.items)

    @property
    def missing(self) -> tuple[Item, ...]:
        """What is not here."""
        return tuple(item for item in self.items if item.here is None)

    @property
    def to_fetch(self) -> int:
        """Bytes of what is not here."""
        return sum(item.nbytes or 0 for item in self.missing)


class Offer(NamedTuple):
    """The files of one hub, and who we are there."""

    files: Mapping[str, RemoteFile]
    access: Access


def items_of(chosen: Selection, offers: Sequence[Offer], find: Find, *, prefer: int = 0) -> tuple[Item, ...]:
    """The first offer says what is wanted; of the others those files are taken that are the same by their hashes.

    `prefer` is the offer whose bytes are taken first; `find` tells where a content is on this machine.
    """
    return tuple(_item(path, offers, find, prefer) for path in chosen.paths)


def _item(path: str, offers: Sequence[Offer], find: Find, prefer: int) -> Item:
    file = offers[0].files[path]
    digest = digest_of(file)
    order = [offers[prefer], *(offer for at, offer in enumerate(offers) if at != prefer)]
    sources = tuple(
        Ask(url=offer.files[path].url, path=path, access=offer.access)
        for offer in order
        if offer is offers[0] or is_same(file, offer.files.get(path))
    )
    return Item(path=path, nbytes=file.nbytes, digest=digest, sources=sources, here=find(path, file.nbytes, digest))


def digest_of(file: RemoteFile) -> Digest:
    """By what the hub tells; else by where it is from."""
    if file.sha256 is not None:
        return Digest(kind="sha256", hex=file.sha256)
    if file.oid is not None:
        return Digest(kind="git", hex=file.oid)
    return Digest(kind="address", hex=sha256(f"{file.url} {file.nbytes}".encode()).hexdigest())


def is_same(file: RemoteFile, other: RemoteFile | None) -> bool:
    """Is it the same content on another hub? Where one tells a sha256 and the other git's hash, a small file of the
    same size may be: what comes is held against the hash that was told first."""
    if other is None or other.nbytes != file.nbytes:
        return False
    if file.sha256 is not None and other.sha256 is not None:
        return file.sha256 == other.sha256
    if file.sha256 is None and file.oid is None:
        return False
    return file.nbytes <= SMALL


def tree_of(files: Mapping[str, RemoteFile]) -> Mapping[str, Listed] | None:
    """The whole commit; None where the hub does not tell git's names."""
    listed = {
        path: Listed(nbytes=file.nbytes, oid=file.oid, sha256=file.sha256)
        for path, file in files.items()
        if file.oid is not None
    }
    return listed if len(listed) == len(files) else None
