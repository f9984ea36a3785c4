"""A plain folder: files under their own names, of which somebody may edit one in place."""

from __future__ import annotations

import os

from weigh.core.errors import SourceError
from weigh.store.digest import Digest
from weigh.store.layouts.layout import Address, Layout, Shipment
from weigh.store.layouts.placing import place


def find(root: str, address: Address, path: str, digest: Digest) -> str:
    """The file itself."""
    return os.path.join(root, *path.split("/"))


def release(root: str, shipment: Shipment) -> str:
    """Each file renamed into its place; what others keep is copied, never linked. Raises SourceError where a link below
    the root leads elsewhere: then nothing is written."""
    for parcel in shipment.parcels:
        _check_way(root, parcel.path)
    for parcel in shipment.parcels:
        place(parcel, os.path.join(root, *parcel.path.split("/")), linked=False)
    return root


def _check_way(root: str, path: str) -> None:
    folder = root
    for part in path.split("/")[:-1]:
        folder = os.path.join(folder, part)
        if os.path.islink(folder):
            raise SourceError("store.link", path=folder)


LAYOUT = Layout(id="folder", find=find, release=release)
