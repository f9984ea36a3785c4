"""Parts of a file asked for by themselves: to see one again, or several at once where one connection is slow."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from weigh.sources.bulk import BulkAnswer
from weigh.sources.refusals import NotFetched
from weigh.sources.request import Ask, ask
from weigh.store.answers import fill, held_against
from weigh.store.digest import PIECE
from weigh.store.line import Line
from weigh.store.partial import Partial

MOST_FAILURES = 5  # of one range
STEP = 2 << 20  # bytes of a range where several come at once
AHEAD = 2  # ranges a connection that may be waiting for one before them

Span = tuple[int, int, int]  # start and stop, and the bytes of the whole


def in_ranges(source: Ask, partial: Partial, line: Line) -> None:
    """What is missing, by several connections; what came is appended in order, so that nothing is ever read again.

    Raises ConnectionError for a range that does not come.
    """
    nbytes, at = partial.nbytes or 0, partial.offset
    pending: deque[Future[memoryview | None]] = deque()
    with ThreadPoolExecutor(max_workers=line.connections) as pool:
        try:
            while not partial.is_whole:
                while at < nbytes and len(pending) < AHEAD * line.connections:
                    stop = min(at + STEP, nbytes)
                    pending.append(pool.submit(one_range, source, (at, stop, nbytes), line))
                    at = stop
                data = pending.popleft().result()
                if data is None:
                    raise ConnectionError(f"bytes {partial.offset}-")
                _append(partial, data)
                line.tell(source.path, partial.offset)
        finally:
            for one in pending:
                one.cancel()


def _append(partial: Partial, data: memoryview) -> None:
    while data:
        count = min(partial.room, len(data), PIECE)
        partial.append(data[:count])
        data = data[count:]


def one_range(source: Ask, span: Span, line: Line) -> memoryview | None:
    """Its bytes; None where the server does not give them."""
    start, stop, nbytes = span
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


def _piece(source: Ask, span: Span, buffer: memoryview, line: Line) -> int:
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
