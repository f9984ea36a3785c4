"""A byte is wrong and only the whole has a hash: ranges are fetched once more until it is right."""

from __future__ import annotations

import os

import msgspec

from weigh.sources.bulk import BulkAnswer
from weigh.sources.refusals import NotFetched
from weigh.sources.request import Ask, ask
from weigh.store.answers import fill, held_against
from weigh.store.digest import PIECE
from weigh.store.line import Line, Want
from weigh.store.partial import RANGE, Partial

MOST_FAILURES = 5  # of one range


def mend(want: Want, partial: Partial, line: Line) -> None:
    """Each range from a second connection, from another source where there is one; those that differ are replaced.

    Every source is asked once for every range, so that a file which is wrong at its source costs twice its bytes.
    Raises NotFetched where the hash stays wrong: then nothing of it is kept.
    """
    for source in reversed(want.sources):
        for start in range(0, partial.nbytes or 0, RANGE):
            data = _range(source, start, partial.nbytes or 0, line)
            if data is not None and partial.replace(start, data) and partial.is_right():
                return
    os.unlink(partial.path)
    known = partial.known()
    found = known.git if want.digest.kind == "git" else known.sha256
    raise NotFetched("store.hash", path=want.path, expected=want.digest.hex, found=found or "-")


def _range(source: Ask, start: int, nbytes: int, line: Line) -> memoryview | None:
    """None where the server does not give it."""
    stop = min(start + RANGE, nbytes)
    buffer = memoryview(bytearray(stop - start))
    filled = failures = 0
    while filled < len(buffer) and failures < MOST_FAILURES:
        line.check()
        try:
            filled += _piece(source, (start + filled, stop, nbytes), buffer[filled:], line)
        except NotFetched:
            return None
        except (ConnectionError, TimeoutError):
            failures += 1
            line.client.wait(0.25 * 2**failures)
    return buffer if filled == len(buffer) else None


def _piece(source: Ask, span: tuple[int, int, int], buffer: memoryview, line: Line) -> int:
    """As many bytes of the range as one connection brings. Raises NotFetched, ConnectionError, TimeoutError."""
    start, stop, nbytes = span
    asked = {**source.headers, "range": f"bytes={start}-{stop - 1}"}
    answer = ask(line.client, msgspec.structs.replace(source, headers=asked)).answer
    assert isinstance(answer, BulkAnswer)
    try:
        held_against(answer, source.path, start, nbytes, stop)
        if answer.status == 200 and (start or stop != nbytes):
            raise NotFetched("http.no_ranges", path=source.path, url=source.url)
        filled = 0
        while filled < len(buffer):
            line.check()
            count, error = fill(answer, buffer[filled : filled + line.pace.piece(PIECE)], line.now)
            filled += count
            line.pace.spend(count)
            if error is not None and not filled:
                raise error
            if error is not None or not count:
                break
        return filled
    finally:
        answer.close()
