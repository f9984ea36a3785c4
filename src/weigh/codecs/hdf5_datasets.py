"""A dataset of HDF5 as its messages describe it: what it holds, and where and how that is kept."""

from __future__ import annotations

import math

from weigh.codecs.hdf5_datatype import Datatype, read_datatype
from weigh.codecs.hdf5_file import File
from weigh.codecs.hdf5_header import DATASPACE, DATATYPE, EXTERNAL, FILTERS, LAYOUT, Message
from weigh.codecs.hdf5_heaps import read_local_heap
from weigh.codecs.hdf5_messages import Layout, read_dataspace, read_external, read_filters, read_layout
from weigh.codecs.hdf5_shared import content_of
from weigh.codecs.hdf5_symbols import CHUNK_NODE, entries
from weigh.core.errors import FormatError
from weigh.core.tensors import TensorInfo
from weigh.core.value import Value

MOST_SUMMED = 40_000  # structures spent, beyond which sizes of packed chunks are no longer added up


class Dataset(Value, frozen=True, kw_only=True):
    """`shape` is None for a null dataspace; `external` names the files that hold its data in place of this one."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...] | None
    layout: Layout
    filters: tuple[int, ...] = ()
    external: tuple[str, ...] = ()
    nbytes: int | None = None
    offset: int | None = None

    @property
    def num_bytes(self) -> int:
        """What its elements take as they are, whatever of it is stored."""
        return 0 if self.shape is None else math.prod(self.shape) * self.datatype.size

    def info(self) -> TensorInfo:
        """As a TensorInfo; an array type adds its lengths to the shape."""
        return TensorInfo(
            name=self.name,
            dtype=self.datatype.dtype,
            shape=((0,) if self.shape is None else self.shape) + self.datatype.all_shape,
            nbytes=self.nbytes,
            offset=self.offset,
            storage=self.external[0] if self.external else None,
        )


def read_dataset(file: File, name: str, messages: tuple[Message, ...]) -> Dataset:
    """Raises FormatError."""
    by_type = {message.type: message for message in reversed(messages)}
    datatype = read_datatype(content_of(file, by_type[DATATYPE]))
    shape = read_dataspace(content_of(file, by_type[DATASPACE]), file.length_size)
    layout = read_layout(file, by_type[LAYOUT])
    filters = read_filters(content_of(file, by_type[FILTERS])) if FILTERS in by_type else ()
    external = _external(file, by_type[EXTERNAL]) if EXTERNAL in by_type else ()
    logical = 0 if shape is None else math.prod(shape) * datatype.size
    here = layout.kind in ("compact", "contiguous") and layout.address is not None and not external
    return Dataset(
        name=name,
        datatype=datatype,
        shape=shape,
        layout=layout,
        filters=filters,
        external=external,
        nbytes=logical if external else _stored(file, layout, logical, is_filtered=bool(filters)),
        offset=file.base + (layout.address or 0) if here else None,
    )


def _external(file: File, message: Message) -> tuple[str, ...]:
    address, offsets = read_external(file, message)
    if address is None:
        return ()
    heap = read_local_heap(file, address)
    return tuple(heap.name(file, offset) for offset in offsets)


def _stored(file: File, layout: Layout, logical: int, *, is_filtered: bool) -> int | None:
    """Bytes in the file; None where only the chunks' own index would say."""
    if layout.kind == "virtual":
        return None
    if layout.address is None:
        return 0
    if layout.kind != "chunked":
        return logical if layout.nbytes is None else layout.nbytes
    if not is_filtered:
        return logical
    if layout.index == 0 and file.spent < MOST_SUMMED:
        return _summed(file, layout)
    return layout.nbytes


def _summed(file: File, layout: Layout) -> int | None:
    """The sizes that the keys of the chunks' B-tree give; None where it is damaged or larger than is worth a walk."""
    total = 0
    try:
        for key, _ in entries(file, layout.address or 0, CHUNK_NODE, 8 + 8 * len(layout.chunk)):
            total += int.from_bytes(key[:4], "little")
            if file.spent >= MOST_SUMMED:
                return None
    except FormatError:
        return None
    return total
