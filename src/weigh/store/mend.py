"""A byte is wrong and only the whole has a hash: ranges are fetched once more until it is right."""

from __future__ import annotations

import os

from weigh.sources.refusals import NotFetched
from weigh.store.line import Line, Want
from weigh.store.partial import RANGE, Partial
from weigh.store.ranges import one_range


def mend(want: Want, partial: Partial, line: Line) -> None:
    """Each range from a second connection, from another source where there is one; those that differ are replaced.

    Every source is asked once for every range, so that a file which is wrong at its source costs twice its bytes.
    Raises NotFetched where the hash stays wrong: then nothing of it is kept.
    """
    for source in reversed(want.sources):
        for start in range(0, partial.nbytes or 0, RANGE):
            stop = min(start + RANGE, partial.nbytes or 0)
            data = one_range(source, (start, stop, partial.nbytes or 0), line)
            if data is not None and partial.replace(start, data) and partial.is_right():
                return
    os.unlink(partial.path)
    known = partial.known()
    found = known.git if want.digest.kind == "git" else known.sha256
    raise NotFetched("store.hash", path=want.path, expected=want.digest.hex, found=found or "-")
