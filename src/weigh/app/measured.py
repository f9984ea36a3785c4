"""What was measured here, kept in the user's data folder, and predictions set right by it."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Sequence

from msgspec.structs import replace

from weigh.core.errors import SourceError
from weigh.core.fit import Fit, Interval, Speed
from weigh.knowledge.measured import MOST_ROWS, Kept, Measured, Pace, is_sound, parse_measured, told
from weigh.sources.file import FileSource

MOST_BYTES = 4 << 20
ALIKE = 16  # models whose weights are so many times as large, or as small, are no measure of each other
SAME, OTHER = 1.1, 1.4  # how far beyond what was seen the interval goes: of the same model, of another


def read_measured(path: str) -> Kept:
    """Nothing where nothing is kept. Raises SourceError, TableError."""
    if not os.path.lexists(path):
        return Kept(())
    with FileSource(path) as source:
        return parse_measured(source.read(0, MOST_BYTES), path=path)


def keep(path: str, row: Measured, before: Sequence[Measured]) -> None:
    """Adds a row in place of an earlier one of the same model, device and engine. Raises SourceError."""
    if not is_sound(row):
        raise SourceError("bench.absurd", path=path)
    rows = [one for one in before if _key(one) != _key(row)]
    _write(path, told((*rows, row)[-MOST_ROWS:]))


def set_right(fits: Sequence[Fit], rows: Sequence[Measured]) -> tuple[Fit, ...]:
    """Each speed moved and narrowed by what was measured on its device with its engine; `basis` then says so."""
    return tuple(_set_right(fit, rows) for fit in fits)


def _set_right(fit: Fit, rows: Sequence[Measured]) -> Fit:
    near = [row for row in rows if (row.device, row.engine) == (fit.device, fit.engine) and _is_alike(row, fit)]
    same = [row for row in near if row.weights == fit.memory.weights]
    used, margin = (same, SAME) if same else (near, OTHER)
    if fit.speed is None or not used:
        return fit
    decode = _moved(fit.speed.decode, [row.decode for row in used if row.decode is not None], margin)
    prefill = _moved(fit.speed.prefill, [row.prefill for row in used if row.prefill is not None], margin)
    return replace(fit, speed=Speed(decode=decode, prefill=prefill), basis=f"measured.{fit.basis}")


def _moved(interval: Interval | None, paces: Sequence[Pace], margin: float) -> Interval | None:
    """By the mean of the ratios; as wide as the runs lay apart and some more, never wider than it was."""
    if interval is None or not paces or interval.typical <= 0:
        return interval
    middle = math.exp(sum(math.log(pace.median / pace.predicted) for pace in paces) / len(paces))
    low = min(pace.low / pace.predicted for pace in paces) / middle / margin
    high = max(pace.high / pace.predicted for pace in paces) / middle * margin
    typical = interval.typical * middle
    return Interval(
        low=round(typical * max(low, interval.low / interval.typical), 3),
        typical=round(typical, 3),
        high=round(typical * min(high, max(interval.high / interval.typical, margin)), 3),
    )


def _is_alike(row: Measured, fit: Fit) -> bool:
    return row.weights / ALIKE <= fit.memory.weights <= row.weights * ALIKE


def _key(row: Measured) -> tuple[str, str, str, int]:
    return row.device, row.engine, row.model, row.weights


def _write(path: str, data: bytes) -> None:
    """In one step: a file beside it is written, flushed and renamed."""
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=".measured-", suffix=".json", dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:
        raise SourceError("bench.not_kept", path=path, reason=error.strerror or type(error).__name__) from error
