"""The Hugging Face cache: blobs by their hash, snapshots of links to them, refs, and the tree of a commit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import msgspec

from weigh.store.digest import Digest, digest_of_name
from weigh.store.layouts.layout import Address, Layout, Listed, Shipment
from weigh.store.layouts.placing import is_same_file, place
from weigh.store.quarantine import copy, write

TREE_VERSION = 1


def find(root: str, address: Address, path: str, digest: Digest) -> str:
    """The blob of this hash."""
    return os.path.join(folder(root, address), "blobs", digest.hex)


def release(root: str, shipment: Shipment) -> str:
    """Blobs, then links to them, then the tree, and the ref last."""
    address = shipment.address
    home = folder(root, address)
    commit = address.commit or address.revision
    snapshot = os.path.join(home, "snapshots", commit)
    for parcel in shipment.parcels:
        blob = os.path.join(home, "blobs", parcel.digest.hex)
        place(parcel, blob)
        _point(os.path.join(snapshot, *parcel.path.split("/")), blob)
    if shipment.tree is not None:
        write(os.path.join(home, "trees", f"{commit}.json"), tree_text(shipment.tree))
    if address.revision != commit:
        write(os.path.join(home, "refs", *address.revision.split("/")), commit.encode("ascii"))
    return snapshot


def contents(root: str) -> Iterator[tuple[Digest, str]]:
    """The blobs of every repository, by the hash that each is called by."""
    for repository in _names(root):
        if repository.startswith(("models--", "datasets--", "spaces--")):
            blobs = os.path.join(root, repository, "blobs")
            for name in _names(blobs):
                if (digest := digest_of_name(name)) is not None:
                    yield digest, os.path.join(blobs, name)


def folder(root: str, address: Address) -> str:
    """Where all of a repository lies."""
    return os.path.join(root, f"models--{address.flat}")


def tree_text(tree: Mapping[str, Listed]) -> bytes:
    """The tree of a commit as huggingface_hub 1.x and later keeps it."""
    files = {path: _listed(tree[path]) for path in sorted(tree)}
    return msgspec.json.format(msgspec.json.encode({"format_version": TREE_VERSION, "files": files}), indent=1)


def _listed(file: Listed) -> dict[str, str | int]:
    said: dict[str, str | int] = {"size": file.nbytes, "blob_id": file.oid}
    return said if file.sha256 is None else said | {"lfs_sha256": file.sha256, "lfs_size": file.nbytes}


def _point(pointer: str, blob: str) -> None:
    """A relative link, as the whole cache may be moved; a copy where the system has no links."""
    os.makedirs(os.path.dirname(pointer), exist_ok=True)
    if is_same_file(pointer, blob):
        return
    temporary = f"{pointer}.{os.getpid()}.tmp"
    try:
        os.symlink(os.path.relpath(blob, os.path.dirname(pointer)), temporary)
        os.replace(temporary, pointer)
    except OSError:
        copy(blob, pointer)


def _names(path: str) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except OSError:
        return []


LAYOUT = Layout(
    id="hf",
    roots=(
        "$HF_HUB_CACHE",
        "$HUGGINGFACE_HUB_CACHE",
        "$HF_HOME/hub",
        "$XDG_CACHE_HOME/huggingface/hub",
        "~/.cache/huggingface/hub",
    ),
    find=find,
    release=release,
    contents=contents,
)
