"""A long text sampled: whole lines of windows all over it, and how many lines it has."""

from __future__ import annotations

from weigh.core.source import Source
from weigh.core.value import Value
from weigh.sources.distant import distant

MOST_COUNTED = 64 << 20  # so far lines are counted one by one
FIRST, WINDOW, MOST_WINDOWS = 1 << 20, 1 << 17, 24
_STEP = 1 << 20


class Lines(Value, frozen=True, kw_only=True):
    """`lines` of the sample, without their ends; `count` of all, `exact` or by the line ends in the sample."""

    lines: tuple[bytes, ...]
    count: int
    exact: bool


def sample_lines(source: Source, *, most: int = FIRST) -> Lines:
    """The beginning, then windows evenly over the rest; a line that a window cuts is left out.

    What lies on a server is not fetched to count its lines.
    """
    head = source.read(0, most)
    if len(head) == source.size:
        lines = head.split(b"\n")
        lines = lines[:-1] if not lines[-1] else lines
        return Lines(lines=tuple(lines), count=len(lines), exact=True)
    lines = head.split(b"\n")[:-1]
    ends, seen = len(lines), len(head)
    for number in range(1, MOST_WINDOWS):
        window = source.read(most + (source.size - most) * number // MOST_WINDOWS, WINDOW)
        parts = window.split(b"\n")
        lines += parts[1:-1]
        ends, seen = ends + len(parts) - 1, seen + len(window)
    if source.size <= MOST_COUNTED and distant(source) is None:
        return Lines(lines=tuple(lines), count=_count(source), exact=True)
    # By line ends, not by the length of whole lines: windows hold fewer long lines than there are.
    return Lines(lines=tuple(lines), count=max(1, round(source.size * ends / seen)), exact=False)


def _count(source: Source) -> int:
    ends = sum(source.read(at, _STEP).count(b"\n") for at in range(0, source.size, _STEP))
    return ends + (source.read(source.size - 1, 1) != b"\n")
