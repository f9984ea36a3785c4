"""A plain folder: files under their own names, of which somebody may edit one in place."""

from __future__ import annotations

import os

from weigh.store.digest import Digest
from weigh.store.layouts.layout import Address, Layout, Shipment
from weigh.store.layouts.placing import place


def find(root: str, address: Address, path: str, digest: Digest) -> str:
    """The file itself."""
    return os.path.join(root, *path.split("/"))


def release(root: str, shipment: Shipment) -> str:
    """Each file renamed into its place; what others keep is copied, never linked."""
    for parcel in shipment.parcels:
        place(parcel, os.path.join(root, *parcel.path.split("/")), linked=False)
    return root


LAYOUT = Layout(id="folder", find=find, release=release)
