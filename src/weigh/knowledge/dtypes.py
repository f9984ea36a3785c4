"""Element types of tensors: how many elements a block packs into how many bytes."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.knowledge import Row, read_table


class Dtype(Row, frozen=True, kw_only=True):
    """`block` elements take `block_bytes` bytes. `ggml` is the type's number in GGUF; `aliases` are what torch
    and numpy call it; `removed` types are no longer written. `other` is what has no size of its own (strings, handles).
    """

    block: int
    block_bytes: int
    kind: Literal["float", "integer", "quantised", "bool", "complex", "other"]
    ggml: int | None = None
    aliases: tuple[str, ...] = ()
    removed: bool | None = None

    @property
    def bits(self) -> float:
        """Bits an element takes, scales of its block included."""
        return self.block_bytes * 8 / self.block

    def nbytes(self, num_elements: int) -> int:
        """Bytes that so many elements take, whole blocks."""
        return -(-num_elements // self.block) * self.block_bytes


@functools.cache
def dtypes() -> Mapping[str, Dtype]:
    """Every dtype by its name."""
    return {row.id: row for row in read_table("dtypes", Dtype)}


@functools.cache
def ggml_types() -> Mapping[int, Dtype]:
    """GGUF's tensor types by number."""
    return {row.ggml: row for row in dtypes().values() if row.ggml is not None}


@functools.cache
def dtype_aliases() -> Mapping[str, str]:
    """What torch and numpy call a dtype -> its name here."""
    return {alias: row.id for row in dtypes().values() for alias in row.aliases}


class FileType(Row, frozen=True, kw_only=True):
    """`general.file_type` number -> the label it stands for."""

    number: int
    removed: bool | None = None


@functools.cache
def gguf_file_types() -> Mapping[int, str]:
    """Labels by number."""
    return {row.number: row.id for row in read_table("gguf_file_types", FileType)}
