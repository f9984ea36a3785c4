"""An answer held against what was asked for, and its bytes taken."""

from __future__ import annotations

import re
from collections.abc import Callable

from weigh.sources.bulk import BulkAnswer
from weigh.sources.client import Answer
from weigh.sources.refusals import NotFetched

GLANCE = 0.25  # seconds after which what came is written down
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


def held_against(answer: Answer, path: str, start: int, nbytes: int | None, stop: int | None = None) -> int:
    """How many bytes come before those that were asked for. Raises NotFetched for any other answer."""
    encoding = answer.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", ""):
        raise NotFetched("http.encoded", path=path, encoding=encoding)
    if answer.status == 416:
        raise NotFetched("http.unsatisfied", path=path)
    length = answer.headers.get("content-length", "")
    said = int(length) if length.isdecimal() and len(length) < 19 else None
    if answer.status == 206:
        _check_range(answer, path, start, nbytes, stop)
        wanted = None if nbytes is None else (stop or nbytes) - start
    else:
        wanted = nbytes
        if said is not None and wanted is not None and said != wanted:
            page = answer.headers.get("content-type", "").startswith("text/html")
            raise NotFetched("http.page", path=path) if page else _of_size(path, said, wanted)
    if said is not None and wanted is not None and said != wanted:
        raise NotFetched("http.length", path=path, offset=start, said=said, wanted=wanted)
    return start if answer.status == 200 else 0


def _of_size(path: str, said: int, wanted: int) -> NotFetched:
    return NotFetched("http.size", path=path, said=said, size=wanted)


def _check_range(answer: Answer, path: str, start: int, nbytes: int | None, stop: int | None) -> None:
    said = answer.headers.get("content-range", "-")
    found = _RANGE.fullmatch(said)
    first, last, size = map(int, found.groups()) if found is not None else (-1, -1, -1)
    if first != start or last != (stop or size) - 1 or size < 1:
        raise NotFetched("http.range", path=path, offset=start, said=said, last=(stop or nbytes or 0) - 1)
    if nbytes is not None and size != nbytes:
        raise _of_size(path, size, nbytes)


def fill(answer: BulkAnswer, buffer: memoryview, now: Callable[[], float]) -> tuple[int, OSError | None]:
    """As much as fits or comes within a moment, and what ended it: nothing that came is lost with a connection."""
    filled, since = 0, now()
    try:
        while filled < len(buffer) and (count := answer.readinto(buffer[filled:])):
            filled += count
            if now() - since > GLANCE:
                break
    except (ConnectionError, TimeoutError) as error:
        return filled, error
    return filled, None
