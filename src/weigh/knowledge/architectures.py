"""Architectures by the name config.json or GGUF gives them: which families are built so, what goes in."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.knowledge import Row, read_table


class ArchitectureRow(Row, frozen=True, kw_only=True):
    """`family` in the makers' spelling; `modality` is what the network takes."""

    family: tuple[str, ...]
    modality: tuple[str, ...]


@functools.cache
def architectures() -> Mapping[str, ArchitectureRow]:
    """Rows by model_type."""
    return {row.id: row for row in read_table("architectures", ArchitectureRow)}
