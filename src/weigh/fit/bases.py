"""The base model that a name means, so that a name alone has a shape."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from weigh.core.architecture import Architecture
from weigh.core.name import Name
from weigh.describe.architecture import from_config
from weigh.knowledge.base_models import BaseModelRow, base_models

NEAR = 0.06  # between a size in a name and the published count: 7B is 7.24 B of one, 7.6 B of another


def base_of(name: Name) -> BaseModelRow | None:
    """The row with the name's family, version, tier and size, or that of the model it was made from.

    None where none, or several of different shape, agree.
    """
    if name.family is None or "pruned" in name.training:
        return None
    base = tuple(part.value for part in name.parts if part.kind == "base" and part.value)
    found = _row(name, frozenset(base))
    if found is None and base:
        version = base[1] if len(base) > 1 else None
        found = _row(msgspec.structs.replace(name, family=base[0], version=version, tier=()), frozenset())
    return found


def _row(name: Name, base: frozenset[str]) -> BaseModelRow | None:
    rows = [row for row in base_models() if _agrees(row, name, base)]
    return _closest(rows, name) if rows else None


def shape_of(row: BaseModelRow) -> Architecture | None:
    """Its layers; None for a pipeline."""
    return from_config(row.config)


def _agrees(row: BaseModelRow, name: Name, base: frozenset[str]) -> bool:
    return (
        row.family == name.family
        and row.version == name.version
        and frozenset(row.base) == base
        and frozenset(row.tier) == frozenset(name.tier)
        and frozenset(row.modality) >= frozenset(name.modality)
        and _is_of_kind(row, name)
        and _is_of_size(row, name)
    )


def _is_of_kind(row: BaseModelRow, name: Name) -> bool:
    """Embedders and rerankers are often language models with another end."""
    return row.kind == name.kind or (row.kind == "llm" and name.kind in ("embedding", "rerank"))


def _is_of_size(row: BaseModelRow, name: Name) -> bool:
    size = name.size
    if size is None or size == type(size)():
        return row.total_b is None and row.active_b is None and row.experts is None
    if size.active_b is not None and row.active_b is not None and size.active_b != row.active_b:
        return False
    if size.experts is not None and row.experts is not None and size.experts != row.experts:
        return False
    if size.expert_b is not None or row.expert_b is not None:
        return size.expert_b == row.expert_b
    if size.total_b is None:
        return row.active_b is not None and size.active_b == row.active_b and row.total_b is None
    return size.total_b == row.total_b or abs(size.total_b / row.parameters_b - 1) <= NEAR


def _closest(rows: Sequence[BaseModelRow], name: Name) -> BaseModelRow | None:
    """Of several the one with the most words in common; None where those differ in what a token costs."""

    words = _words(name.name)

    def common(row: BaseModelRow) -> tuple[float, ...]:
        return (
            name.size is not None and name.size.total_b == row.total_b,
            len(_words(row.id) & words) - len(_words(row.id) - words),
            int(row.date == name.date) + int(row.context_tokens == name.context_tokens),
        )

    best = max(rows, key=common)
    alike = [row for row in rows if common(row) == common(best)]
    shapes = {tuple(sorted((key, str(value)) for key, value in row.config.items() if key != _LIMIT)) for row in alike}
    return best if len(shapes) == 1 else None


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+|[0-9.]+", text.lower()))


_LIMIT = "max_position_embeddings"
