"""What a layout is to the program: declared facts plus three functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from weigh.core.value import Value
from weigh.store.digest import Digest

Id = Literal["hf", "ms", "folder"]


class Address(Value, frozen=True, kw_only=True):
    """A revision of a repository; `commit` is what the hub says it is now, None where hubs have no such thing."""

    namespace: str | None = None
    name: str
    revision: str
    commit: str | None = None

    @property
    def repository(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def flat(self) -> str:
        """As hubs' clients make one name of it."""
        return self.repository.replace("/", "--")


class Parcel(Value, frozen=True, kw_only=True):
    """A verified file on its way out: `source` is where it lies now; `is_ours` says that it may be moved from there."""

    path: str
    nbytes: int
    digest: Digest
    source: str
    is_ours: bool


class Listed(Value, frozen=True, kw_only=True):
    """A file of the commit as Hugging Face lists it: git's name of the blob (of LFS: of its pointer) and the sha256."""

    nbytes: int
    oid: str
    sha256: str | None = None


class Shipment(Value, frozen=True, kw_only=True):
    """What is released together. `tree` is every file of the commit; None where not all of them are in it."""

    address: Address
    parcels: tuple[Parcel, ...]
    tree: Mapping[str, Listed] | None = None


class Layout(Value, frozen=True, kw_only=True):
    """`roots` are where its owner looks, by the variables it goes by, the first one first.

    `find` tells where a file of this content would be if it were here, without reading it. `release` puts a shipment
    into a root and returns the folder that a loader opens; whatever is seen of it at any moment is whole. `contents`
    gives every file whose name claims a hash.
    """

    id: Id
    roots: tuple[str, ...] = ()
    find: Callable[[str, Address, str, Digest], str]
    release: Callable[[str, Shipment], str]
    contents: Callable[[str], Iterator[tuple[Digest, str]]] = lambda root: iter(())
