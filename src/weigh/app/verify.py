"""What is on this machine held against lock, hub's list, blobs' names and signature, without a network."""

from __future__ import annotations

import os
from typing import Literal, NamedTuple

from weigh.app.pull_plan import address_of
from weigh.app.stores import Stores
from weigh.core.errors import BadReference, SourceError
from weigh.core.reference import Reference
from weigh.core.value import Value
from weigh.names.reference import parse
from weigh.store.compare import Basis, Checked, Witness, compare
from weigh.store.layouts import huggingface, modelscope
from weigh.store.listings import Listing, commit_at, recall
from weigh.store.lock import NAME as LOCK
from weigh.store.lock import Lock, read_lock
from weigh.store.members import Member, members
from weigh.store.reading import Readers, hashes_of
from weigh.store.receipts import place, receipt_of
from weigh.store.sbom import Subject, subject_of
from weigh.store.select import select
from weigh.store.signature import NAME as SIGNATURE
from weigh.store.signature import signed_files
from weigh.store.witnesses import (
    by_git,
    narrowed,
    of_listing,
    of_local_folder,
    of_lock,
    of_names,
    of_receipt,
    of_snapshot,
)

Status = Literal["right", "differs", "unchecked"]


class Asked(Value, frozen=True, kw_only=True):
    """What to verify and against what: None is what is found beside it. `whole`: all that the hub lists must be here;
    `every_hash`: also of what nobody names; `beside` are files in the folder that are no part of the model."""

    reference: str | None = None
    lock: str | None = None
    signature: str | None = None
    public_key: str | None = None
    whole: bool = False
    every_hash: bool = False
    beside: tuple[str, ...] = ()


class Target(NamedTuple):
    """Where the files lie, which of them are meant (all where None), the repository they are of and what its hub has
    listed, where that is known."""

    root: str
    file: str | None = None
    reference: Reference | None = None
    listing: Listing | None = None


class Proof(Value, frozen=True, kw_only=True):
    """`by` are those who said something; `about` is the model as far as they say."""

    reference: str
    folder: str
    status: Status
    by: tuple[tuple[Basis, str], ...]
    files: tuple[Checked, ...]
    about: Subject
    has_links: bool


def verify(asked: Asked, stores: Stores, readers: Readers) -> Proof:
    """Every file judged. Raises WeighError where it could not be done at all."""
    lock = read_lock(asked.lock) if asked.lock is not None else None
    text = asked.reference or (_reference_of(lock) if lock is not None else "")
    target = _target(text, stores)
    here = members(target.root)
    lock, lock_path = (lock, asked.lock) if lock is not None else _lock_beside(target.root)
    witnesses = [
        *_witnesses(asked, target, here, stores.home),
        *([of_lock(lock, lock_path or "")] if lock is not None else []),
    ]
    if target.file is not None or not os.path.isdir(target.root):
        here, witnesses = _only(target.file, here, witnesses)
    named = {path for one in witnesses for path in one.files}
    read = [member for member in here if member.trouble is None and (asked.every_hash or member.path in named)]
    known = hashes_of(read, by_git(witnesses), readers)
    whole = asked.whole or target.file is not None
    files = compare(here, known, witnesses, whole=whole, beside=_beside(asked, target.root))
    return Proof(
        reference=text,
        folder=target.root,
        status=_status(files),
        by=tuple((one.basis, one.where) for one in witnesses),
        files=files,
        about=subject_of(lock) if lock is not None else _about(target),
        has_links=any(os.path.islink(member.place) for member in here),
    )


def size_of(asked: Asked, stores: Stores) -> int:
    """Bytes that will be read, each content once."""
    text = asked.reference or (_reference_of(read_lock(asked.lock)) if asked.lock is not None else "")
    found = {member.identity: member.nbytes for member in members(_target(text, stores).root)}
    return sum(found.values())


def signature_beside(folder: str) -> str | None:
    """The signature that lies in the folder under its usual name."""
    path = os.path.join(folder, SIGNATURE)
    return path if os.path.isfile(path) else None


def _target(text: str, stores: Stores) -> Target:
    reference = parse(text, exists=os.path.lexists)
    if reference.hub == "path":
        path = os.path.abspath(reference.name)
        if not os.path.exists(path):
            raise SourceError("missing", path=reference.name)
        path = _snapshot_of(path)
        return Target(path, reference=_cached_as(path))
    if reference.hub not in ("hf", "ms"):
        raise BadReference("verify.not_here", text=text)
    address = address_of(reference)
    kept = recall(stores.home, reference.hub, address)
    if reference.hub == "ms":
        folder = modelscope.snapshot(stores.roots["ms"], address)
    else:
        repository = huggingface.folder(stores.roots["hf"], address)
        commit = commit_at(repository, address.revision) or "-"
        folder = os.path.join(repository, "snapshots", commit)
        kept = kept if kept is not None and kept.about.commit == commit else None
    if not os.path.isdir(folder):
        raise SourceError("verify.not_pulled", path=text)
    return Target(folder, reference.file, reference, kept)


def _snapshot_of(path: str) -> str:
    """Of a repository's folder in a Hugging Face cache the snapshot of its main branch, else its only one."""
    snapshots = os.path.join(path, "snapshots")
    if not os.path.basename(path).startswith("models--") or not os.path.isdir(snapshots):
        return path
    commits = sorted(os.listdir(snapshots))
    commit = commit_at(path, "main") or (commits[0] if len(commits) == 1 else None)
    return os.path.join(snapshots, commit) if commit in commits and commit is not None else path


def _cached_as(path: str) -> Reference | None:
    """The repository whose snapshot the folder is, in a Hugging Face cache."""
    repository = os.path.basename(os.path.dirname(os.path.dirname(path)))
    kind, _, flat = repository.partition("--")
    if kind != "models" or os.path.basename(os.path.dirname(path)) != "snapshots":
        return None
    namespace, slash, name = flat.replace("--", "/").rpartition("/")
    return Reference(
        text=path, hub="hf", namespace=namespace if slash else None, name=name, revision=os.path.basename(path)
    )


def _beside(asked: Asked, root: str) -> frozenset[str]:
    """Paths below the root of what goes with a model."""
    named = [path for path in (asked.lock, asked.signature, asked.public_key, *asked.beside) if path is not None]
    below = (os.path.relpath(os.path.abspath(path), root).replace(os.sep, "/") for path in named)
    return frozenset({LOCK, SIGNATURE, *below})


def _lock_beside(root: str) -> tuple[Lock | None, str | None]:
    folder = root if os.path.isdir(root) else os.path.dirname(root)
    path = os.path.join(folder, LOCK)
    return (read_lock(path), path) if os.path.isfile(path) else (None, None)


def _witnesses(asked: Asked, target: Target, here: tuple[Member, ...], home: str) -> list[Witness]:
    folder = target.root if os.path.isdir(target.root) else os.path.dirname(target.root)
    kept = of_listing(target.listing, os.path.join(home, "listings")) if target.listing is not None else None
    receipt = receipt_of(home, folder)
    pulled = of_receipt(receipt, place(home, folder)) if receipt is not None else None
    found = [of_snapshot(folder) or kept or of_local_folder(folder), pulled, of_names(here)]
    if asked.public_key is not None:
        signature = asked.signature or signature_beside(folder)
        if signature is None:
            raise BadReference("verify.no_signature", text=target.root)
        found.append(signed_files(signature, asked.public_key))
    return [one for one in found if one is not None]


def _only(
    wanted: str | None, here: tuple[Member, ...], witnesses: list[Witness]
) -> tuple[tuple[Member, ...], list[Witness]]:
    """What stands behind the colon of the reference, else what is here. Raises SourceError where nothing is."""
    named = {member.path for member in here}
    if wanted is not None:
        named |= {path for one in witnesses for path in one.files}
        named = set(select(dict.fromkeys(named, 0), wanted).paths)
    kept = tuple(member for member in here if member.path in named)
    return kept, [narrowed(one, frozenset(named)) for one in witnesses]


def _status(files: tuple[Checked, ...]) -> Status:
    """A difference that is certain goes before what nobody could tell."""
    if any(one.counts and one.status != "unchecked" for one in files):
        return "differs"
    return "unchecked" if not files or any(one.status == "unchecked" for one in files) else "right"


def _reference_of(lock: Lock) -> str:
    revision = lock.commit or lock.revision
    return f"{lock.hub}:{lock.repository}" + (f"@{revision}" if revision else "")


def _about(target: Target) -> Subject:
    reference = target.reference
    if reference is None:
        return Subject(name=os.path.basename(target.root))
    commit = os.path.basename(target.root) if reference.hub == "hf" else reference.revision
    licence = target.listing.about.licence if target.listing is not None else None
    return Subject(
        name=reference.name, namespace=reference.namespace, hub=reference.hub, commit=commit, licence=licence
    )
