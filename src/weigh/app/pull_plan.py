"""What a reference or a lock asks for, listed on its hub, chosen and held against what is here: a Plan."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec

from weigh.app.network import Network
from weigh.app.provenance import also_on
from weigh.app.stores import Finder, Goal, Stores, goal_of, room_at
from weigh.core.errors import BadReference, SourceError, WeighError
from weigh.core.reference import Reference
from weigh.core.value import Value
from weigh.hubs import locate
from weigh.hubs.hub import Place, Site
from weigh.hubs.repository import check_path
from weigh.names.reference import parse
from weigh.sources.client import Answer, Client
from weigh.sources.refusals import NotFetched
from weigh.sources.request import Access, Ask, ask, try_again
from weigh.store.digest import Digest
from weigh.store.layouts import huggingface
from weigh.store.layouts.layout import Address
from weigh.store.listings import Listing, keep, of_cache, recall
from weigh.store.lock import Lock, LockedFile
from weigh.store.plan import Item, Offer, Plan, items_of, tree_of
from weigh.store.select import select

_TOTAL = re.compile(r"bytes \d+-\d+/(\d{1,18})")
UNREACHED = ("error.http.cut", "error.http.slow")  # nobody answered
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Asked(Value, frozen=True, kw_only=True):
    """What to pull and where to. `also` are references to the same repository elsewhere, `prefer` is the hub whose
    bytes are taken first; `layout` and `folder` say where to, None for where the hub's own clients look; `lock` is
    where to write down what was pulled."""

    reference: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    prefer: Literal["hf", "ms"] | None = None
    layout: Literal["hf", "ms"] | None = None
    folder: str | None = None
    lock: str | None = None


def plan(asked: Asked, network: Network | None, stores: Stores) -> Plan:
    """Without a network from what is kept here of an earlier listing; so also where the hub cannot be reached and all
    is here. Raises WeighError."""
    try:
        return _plan(asked, network, stores)
    except NotFetched as error:
        if network is None or error.saying.key not in UNREACHED:
            raise
        remembered = _remembered(asked, stores)
        if remembered is None:
            raise
        return remembered


def _remembered(asked: Asked, stores: Stores) -> Plan | None:
    """As the hub listed it when it was last asked; None where that is not known or not all of it is here."""
    try:
        kept = _plan(asked, None, stores)
    except WeighError:
        return None
    return None if kept.missing else msgspec.structs.replace(kept, is_remembered=True)


def _plan(asked: Asked, network: Network | None, stores: Stores) -> Plan:
    place = place_of(asked.reference, network)
    if place.hub.list is None:
        return _of_address(asked, place, network, stores)
    goal = _goal(place, asked, stores)
    address = address_of(place.reference)
    listing, access = _listing(place, network, stores, address)
    address = msgspec.structs.replace(address, commit=listing.about.commit)
    sizes = {path: file.nbytes for path, file in listing.files.items()}
    chosen = select(sizes, place.reference.file, asked.include, asked.exclude)
    offers, prefer = _offers(asked, place, Offer(listing.files, access), network)
    return Plan(
        hub=place.hub.id,
        address=address,
        items=items_of(chosen, offers, Finder(goal, stores, address).find, prefer=prefer),
        left=chosen.left,
        tag=chosen.tag,
        licence=listing.about.licence,
        gated=listing.about.gated,
        layout=goal.layout.id,
        destination=goal.root,
        room=room_at(goal.root),
        lock=asked.lock,
        tree=None if chosen.left else tree_of(listing.files),
    )


def plan_locked(lock: Lock, asked: Asked, network: Network | None, stores: Stores) -> Plan:
    """The files of a lock, by their hashes alone: no hub is asked what it has. Raises WeighError."""
    place = _place_of_lock(lock, network)
    goal = _goal(place, asked, stores)
    address = msgspec.structs.replace(address_of(place.reference), revision=lock.revision or "main", commit=lock.commit)
    places = [place, *(place_of(one, network) for one in asked.also)]
    places.sort(key=lambda one: one.hub.id != asked.prefer)
    finder = Finder(goal, stores, address)
    return Plan(
        hub=place.hub.id,
        address=address,
        items=tuple(_locked(one, places, finder) for one in lock.files),
        licence=lock.licence,
        gated=lock.gated,
        layout=goal.layout.id,
        destination=goal.root,
        room=room_at(goal.root),
        lock=asked.lock,
    )


def _goal(place: Place, asked: Asked, stores: Stores) -> Goal:
    """Raises SourceError for what has no commit and yet is to lie as if it had one."""
    goal = goal_of(place.hub.id, stores, layout=asked.layout, folder=asked.folder)
    if goal.layout.id == "hf" and place.hub.id != "hf":
        raise SourceError("store.layout", path=str(place.reference))
    return goal


def place_of(text: str, network: Network | None) -> Place:
    """The hub that has it. Raises BadReference for what lies on no network."""
    reference = parse(text, exists=os.path.lexists)
    sites: Mapping[str, Site] = network.sites if network is not None else {}
    place = locate(reference, sites) if reference.hub not in ("path", "name") else None
    if place is None:
        raise BadReference("store.not_far", text=text)
    return place


def address_of(reference: Reference) -> Address:
    """Its repository and revision, under the name that its hub gives the main branch."""
    main = "master" if reference.hub == "ms" else "main"
    return Address(namespace=reference.namespace, name=reference.name, revision=reference.revision or main)


def _listing(place: Place, network: Network | None, stores: Stores, address: Address) -> tuple[Listing, Access]:
    """From the hub, and kept; without a network as it was kept."""
    if network is None:
        root = huggingface.folder(stores.roots["hf"], address)
        kept = recall(stores.home, place.hub.id, address)
        kept = kept or (of_cache(root, address.revision) if place.hub.id == "hf" else None)
        if kept is None:
            raise SourceError("store.never_listed", path=str(place.reference))
        for path in kept.files:
            check_path(path, str(place.reference))
        return kept, Access()
    assert place.hub.list is not None
    whole = msgspec.structs.replace(place.reference, file=None)
    repository = place.hub.list(whole, place.site, network.client)
    if not repository.entries:
        raise SourceError("empty_folder", path=repository.path)
    listing = Listing(about=repository.about, files=repository.files)
    keep(stores.home, place.hub.id, address, listing)
    return listing, repository.access


def _offers(asked: Asked, place: Place, own: Offer, network: Network | None) -> tuple[list[Offer], int]:
    """The hub's own files, then those of the others that are named or known; and which of them goes first."""
    offers, prefer = [own], 0
    if network is None:
        return offers, prefer
    others = asked.also or (also_on(place.reference) if asked.prefer not in (None, place.hub.id) else ())
    if asked.prefer not in (None, place.hub.id) and not others:
        raise SourceError("store.no_other", path=asked.reference, hub=str(asked.prefer))
    for text in others:
        other = place_of(text, network)
        if other.hub.list is None:
            raise BadReference("store.not_far", text=text)
        try:
            repository = other.hub.list(msgspec.structs.replace(other.reference, file=None), other.site, network.client)
        except NotFetched:
            if other.hub.id == asked.prefer:
                raise
            continue
        prefer = len(offers) if other.hub.id == asked.prefer else prefer
        offers.append(Offer(repository.files, repository.access))
    return offers, prefer


def _place_of_lock(lock: Lock, network: Network | None) -> Place:
    separator = "://" if lock.hub in ("http", "https") else ":"
    place = place_of(f"{lock.hub}{separator}{lock.repository}", network)
    return place._replace(reference=msgspec.structs.replace(place.reference, revision=lock.commit or lock.revision))


def _locked(file: LockedFile, places: Sequence[Place], finder: Finder) -> Item:
    digest = Digest(kind="sha256", hex=file.sha256)
    blob = Digest(kind="git", hex=file.git_sha1) if file.git_sha1 is not None else None
    sources = tuple(one.hub.address(msgspec.structs.replace(one.reference, file=file.path), one.site) for one in places)
    item = Item(path=file.path, nbytes=file.size, digest=digest, blob=blob, sources=sources)
    return msgspec.structs.replace(item, here=finder.place_of(item))


def _of_address(asked: Asked, place: Place, network: Network | None, stores: Stores) -> Plan:
    """One file at an address, as large as its server says it is."""
    if network is None:
        raise SourceError("http.offline", path=asked.reference)
    what = place.hub.address(place.reference, place.site)
    path = unquote(urlsplit(what.url).path).rpartition("/")[2]
    check_path(path, asked.reference)
    head = _head(network.client, msgspec.structs.replace(what, headers={"range": "bytes=0-0"}))
    goal = goal_of(place.hub.id, stores, layout=None, folder=asked.folder)
    host = urlsplit(what.url).netloc.rpartition("@")[2]
    item = _at_address(what, path, head.status, head.headers)
    here = Finder(goal, stores, Address(name=host, revision="-")).find(path, item.nbytes or 0, item.digest)
    return Plan(
        hub=place.hub.id,
        address=Address(name=host, revision="-"),
        items=(msgspec.structs.replace(item, here=here if item.nbytes and not item.is_fresh else None),),
        layout=goal.layout.id,
        destination=goal.root,
        room=room_at(goal.root),
        lock=asked.lock,
    )


def _head(client: Client, what: Ask) -> Answer:
    """The head of the answer, which is closed. Raises NotFetched."""
    tries = 0
    while True:
        try:
            answer = ask(client, what).answer
        except (ConnectionError, TimeoutError) as error:
            tries += 1
            try_again(client, error, tries, path=what.path)
        else:
            answer.close()
            return answer


def _at_address(what: Ask, path: str, status: int, headers: Mapping[str, str]) -> Item:
    """By the hash that the server tells as hubs do; else by the address and what tells its contents apart."""
    total = _TOTAL.fullmatch(headers.get("content-range", ""))
    length = headers.get("content-length", "")
    nbytes = int(total[1]) if total is not None else int(length) if status == 200 and length.isdecimal() else None
    linked = headers.get("x-linked-etag", "").strip('"')
    version = headers.get("etag") or headers.get("last-modified")
    digest = (
        Digest(kind="sha256", hex=linked)
        if _SHA256.fullmatch(linked)
        else Digest(kind="address", hex=sha256(f"{what.url} {version} {nbytes}".encode()).hexdigest())
    )
    source = msgspec.structs.replace(what, path=path)
    return Item(path=path, nbytes=nbytes, digest=digest, sources=(source,), is_fresh=version is None or nbytes is None)
