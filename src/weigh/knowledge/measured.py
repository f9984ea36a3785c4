"""Speeds that were measured on this machine: the user's own rows, by which later predictions are set right."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import msgspec

from weigh.core.errors import TableError
from weigh.core.value import Value

FORM: Literal[1] = 1  # of the kept file
MOST_ROWS = 1000
MOST_TEXT = 300
MOST_RATE = 1e8
MOST_RATIO = 1000.0  # further from the prediction, either way, something else was measured


class Pace(Value, frozen=True, kw_only=True):
    """Tokens a second: what was predicted before anything was measured, and the slowest, middle and fastest run."""

    predicted: float
    low: float
    median: float
    high: float


class Measured(Value, frozen=True, kw_only=True):
    """One model on one device by one engine; `weights` in bytes, `engine` as `fit` calls it."""

    device: str
    engine: str
    model: str
    weights: int
    day: str
    runs: int
    decode: Pace | None = None
    prefill: Pace | None = None


class Kept(NamedTuple):
    """Rows that can be, and how many could not."""

    rows: tuple[Measured, ...]
    ill: int = 0


def parse_measured(data: bytes, *, path: str) -> Kept:
    """The kept file; a row of a wrong shape or an absurd figure is left out. Raises TableError for no such file."""
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise TableError("measured", path=path, problem=str(error)) from error
    rows = [row for raw in file.rows[:MOST_ROWS] if (row := _row(raw)) is not None]
    return Kept(tuple(rows), len(file.rows) - len(rows))


def told(rows: tuple[Measured, ...]) -> bytes:
    """The file of these rows, one a line."""
    lines = ",\n".join(msgspec.json.encode(row).decode() for row in rows)
    return f'{{"form":{FORM},"rows":[\n{lines}\n]}}\n'.encode()


def is_sound(row: Measured) -> bool:
    """Could it have been measured?"""
    paces = [pace for pace in (row.decode, row.prefill) if pace is not None]
    texts = (row.device, row.engine, row.model, row.day)
    is_told = all(0 < len(text) <= MOST_TEXT and text.isprintable() for text in texts)
    return bool(paces) and is_told and row.weights > 0 and row.runs > 0 and all(map(can_be, paces))


def can_be(pace: Pace) -> bool:
    """Figures of a clock, no further from the prediction than MOST_RATIO."""
    figures = (pace.predicted, pace.low, pace.median, pace.high)
    if not all(math.isfinite(figure) and 0 < figure < MOST_RATE for figure in figures):
        return False
    return pace.low <= pace.median <= pace.high and 1 / MOST_RATIO <= pace.median / pace.predicted <= MOST_RATIO


class _File(Value, frozen=True, kw_only=True):
    form: Literal[1]
    rows: tuple[msgspec.Raw, ...]


def _row(raw: msgspec.Raw) -> Measured | None:
    try:
        row = msgspec.json.decode(raw, type=Measured)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return row if is_sound(row) else None
