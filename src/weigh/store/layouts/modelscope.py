"""The cache of modelscope 1.38 and later: real files, one full copy a revision's name."""

from __future__ import annotations

import os

from weigh.store.digest import Digest
from weigh.store.layouts.layout import Address, Layout, Shipment
from weigh.store.layouts.placing import place


def find(root: str, address: Address, path: str, digest: Digest) -> str:
    """The file itself: nothing on disk says which hash it has."""
    return os.path.join(snapshot(root, address), *path.split("/"))


def release(root: str, shipment: Shipment) -> str:
    """Each file renamed into its place; a hard link is safe there, for its owner replaces files and edits none."""
    home = snapshot(root, shipment.address)
    for parcel in shipment.parcels:
        place(parcel, os.path.join(home, *parcel.path.split("/")))
    return home


def snapshot(root: str, address: Address) -> str:
    """Where the files of a revision lie. The main branch is called master there."""
    revision = "master" if address.revision == "main" else address.revision
    return os.path.join(root, "models", address.flat, "snapshots", revision)


LAYOUT = Layout(id="ms", roots=("$MODELSCOPE_CACHE", "~/.cache/modelscope"), find=find, release=release)
