"""In which packing, with which engine a kind of model is usually taken, the best first."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from weigh.knowledge import Row, read_table


class Taking(Row, frozen=True, kw_only=True):
    """`id` is a kind, `task.TASK` where a task goes before it, `KIND.server` on a card of a data centre.

    `task` is what the kind is usually wanted for, `called` the kind as names are decoded where fit goes by that;
    `by_size` is what a doubling of its size is worth;
    `picture` what it is to draw: across, down, frames.
    """

    engine: str
    balanced: tuple[str, ...]
    quality: tuple[str, ...]
    memory: tuple[str, ...]
    speed: tuple[str, ...]
    task: str | None = None
    called: str | None = None
    by_size: float
    picture: tuple[int, int, int] | None = None


class Pipeline(Row, frozen=True, kw_only=True):
    """A task that takes several models: the tasks of each, in order."""

    steps: tuple[str, ...]


class Giving(Row, frozen=True, kw_only=True):
    """What `weigh run` is given for a task, after the model; a file's name stands for one of the user's."""

    arguments: tuple[str, ...]


@functools.cache
def givings() -> Mapping[str, Giving]:
    """Rows by id, which is a task's; what `weigh run` does not do has none."""
    return {row.id: row for row in read_table("givings", Giving)}


@functools.cache
def takings() -> Mapping[str, Taking]:
    """Rows by id."""
    return {row.id: row for row in read_table("takings", Taking)}


@functools.cache
def pipelines() -> Mapping[str, Pipeline]:
    """Rows by id."""
    return {row.id: row for row in read_table("pipelines", Pipeline)}
