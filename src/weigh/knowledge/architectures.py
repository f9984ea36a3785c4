"""Architectures by the name config.json or GGUF gives them: families built so, what goes in, how layers alternate."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Literal

from weigh.knowledge import Row, read_table


class ArchitectureRow(Row, frozen=True, kw_only=True):
    """`family` in the makers' spelling; `modality` is what the network takes; `class_name` as transformers calls it;
    `gguf` the same network's name there. Where a configuration does not list its layers: layer `at` (the last,
    if not given) of each `every` sees everything, the others are `rest`; without `every` all are. `parallel`: each
    layer attends and keeps a recurrent state. `ungated`: a feed-forward is two matrices, not three. `gated`: the query
    is twice as wide, and a recurrent layer has keys of its own (`repeats`: copied for each head before use).
    `apart`: a layer attends, mixes or feeds forward, never two of these. `mixer`: what its recurrent layers are, where
    their sizes do not tell. `shared_experts`: how many every token passes, where nobody says.
    `crossed`: an encoder of as many layers stands beside. `tied`: where nobody says, the head is the table of
    embeddings. `state_size`: elements a channel of a recurrent state, where it is not 128.
    """

    family: tuple[str, ...]
    modality: tuple[str, ...]
    class_name: str | None = None
    gguf: str | None = None
    rest: Literal["sliding", "linear"] | None = None
    every: int | None = None
    at: int | None = None
    parallel: bool | None = None
    ungated: bool | None = None
    gated: bool | None = None
    repeats: bool | None = None
    crossed: bool | None = None
    tied: bool | None = None
    state_size: int | None = None
    apart: bool | None = None
    mixer: Literal["rwkv"] | None = None
    shared_experts: int | None = None


@functools.cache
def architectures() -> Mapping[str, ArchitectureRow]:
    """Rows by model_type."""
    return {row.id: row for row in read_table("architectures", ArchitectureRow)}


@functools.cache
def model_types() -> Mapping[str, str]:
    """model_type by class name, where the class belongs to one alone."""
    found: dict[str, str] = {}
    double: set[str] = set()
    for row in architectures().values():
        if row.class_name is not None:
            double |= {row.class_name} & set(found)
            found[row.class_name] = row.id
    return {name: id for name, id in found.items() if name not in double}
