"""What a model does, by the class that a loader makes of it."""

from __future__ import annotations

import functools
from typing import Literal

from weigh.core.work import Work
from weigh.knowledge import Row, read_table


class ModelClassRow(Row, frozen=True, kw_only=True):
    """`match`: the whole class, the end of its name, or the beginning of a pipeline's name. The best work first."""

    match: Literal["class", "suffix", "pipeline"]
    works: tuple[Work, ...]


def works_of_class(name: str) -> tuple[Work, ...]:
    """The longest row that fits; nothing where none does.

    >>> works_of_class("Qwen3ForCausalLM")
    ('chat', 'complete')
    >>> works_of_class("WhisperForConditionalGeneration")
    ('transcribe',)
    """
    fitting = [row for row in _rows() if row.match != "pipeline" and _fits(row, name)]
    return max(fitting, key=lambda row: (row.match == "class", len(row.id))).works if fitting else ()


def works_of_pipeline(name: str) -> tuple[Work, ...]:
    """By the longest word of the name that a row has.

    >>> works_of_pipeline("WanImageToVideoPipeline")
    ('video',)
    >>> works_of_pipeline("FluxPipeline")
    ('image',)
    """
    fitting = [row for row in _rows() if row.match == "pipeline" and row.id in name and row.id != "Pipeline"]
    if fitting:
        return max(fitting, key=lambda row: len(row.id)).works
    return ("image",) if name.endswith("Pipeline") else ()


def _fits(row: ModelClassRow, name: str) -> bool:
    return name == row.id if row.match == "class" else name.endswith(row.id)


@functools.cache
def _rows() -> tuple[ModelClassRow, ...]:
    return read_table("model_classes", ModelClassRow)
