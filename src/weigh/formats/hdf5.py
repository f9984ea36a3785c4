"""HDF5 of any kind: groups, datasets and attributes; MATLAB 7.3 and netCDF-4 files are such too."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.embedded import Inside
from weigh.codecs.hdf5_account import Account, account_of, meta_of
from weigh.codecs.hdf5_attributes import whole_attributes
from weigh.codecs.hdf5_observations import observe_hdf5
from weigh.codecs.hdf5_superblock import SIGNATURE, find_superblock
from weigh.codecs.pickle import is_pickle
from weigh.codecs.zip import is_zip
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source

MOST_LISTED = 1000  # objects whose attributes are told, and groups and links that are


def matches(source: Source) -> bool:
    """The signature at the start, or behind a user block that is no file of another format."""
    if source.read(0, len(SIGNATURE)) == SIGNATURE:
        return True
    return find_superblock(source) is not None and not is_zip(source) and not is_pickle(source)


def read(source: Source) -> Header:
    """Every dataset as a tensor, the attributes by the path of their object. Raises FormatError."""
    account = account_of(source)
    return Header(
        format="hdf5",
        version=str(account.file.version),
        byte_order=account.byte_order,
        metadata=_metadata(account),
        tensors=account.tensors,
        problems=account.problems,
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Links and storage outside the file, virtual datasets, the user block, files inside strings and bytes."""
    yield from observe_hdf5(source, account_of(source), Inside(source.path))


def _metadata(account: Account) -> dict[str, Meta]:
    contents = account.contents
    attributes: dict[str, Meta] = {}
    for one in contents.objects[:MOST_LISTED]:
        found = whole_attributes(account.file, one.messages)[0]
        if found:
            attributes[f"/{one.path}"] = {name: meta_of(attribute) for name, attribute in found.items()}
    metadata: dict[str, Meta] = {"superblock": account.file.version}
    if account.file.base:
        metadata["user_block"] = account.file.base
    if attributes:
        metadata["attributes"] = attributes
    groups = tuple(one.path for one in contents.objects if one.kind == "group" and one.path)
    if groups:
        metadata["groups"] = groups[:MOST_LISTED]
    if contents.links:
        links = contents.links[:MOST_LISTED]
        metadata["links"] = {path: f"{link.kind} {link.file or ''}:{link.target or ''}" for path, link in links}
    return metadata


FORMAT = Format(
    name="hdf5",
    suffixes=(".h5", ".hdf5", ".hdf", ".he5", ".mat", ".nc", ".nwb"),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("packed_chunks",),
)
