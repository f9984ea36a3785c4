"""One file from a server into quarantine: taken up where it broke off, hashed as it comes, right or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from weigh.sources.bulk import BulkAnswer
from weigh.sources.client import GRACE_SECONDS, LEAST_RATE, Answer
from weigh.sources.refusals import NotFetched
from weigh.sources.request import Ask, ask
from weigh.store.answers import fill, held_against
from weigh.store.digest import PIECE, Known, of_file
from weigh.store.guard import alone
from weigh.store.line import Line, Want
from weigh.store.mend import mend
from weigh.store.partial import Partial
from weigh.store.quarantine import Quarantine, note
from weigh.store.ranges import in_ranges

MOST_FAILURES = 5  # tries one after another that bring nothing
ENOUGH = 1 << 16  # bytes that make a try worth it
MOST_DROPS, BYTES_A_DROP = 16, 4 << 20  # so many broken connections of a file, and one more for so many bytes
LONGEST_WAIT = 30.0
SLOW_AFTER, SLOW_RATE = 3.0, 24 << 20  # seconds, and bytes a second below which one connection is slow
LEAST_IN_RANGES = 16 << 20  # bytes that are worth more connections


class Slow(Exception):
    """One connection brings less than several may."""


def fetch(want: Want, quarantine: Quarantine, line: Line, is_here: Callable[[], bool] = lambda: False) -> Known | None:
    """The file in quarantine, under its hash; None where it `is_here` by now, for another process may have brought it.

    Raises NotFetched, and SourceError for a disk that takes no more.
    """
    target = quarantine.object(want.digest)
    with alone(quarantine.lock(want.digest.key), line.client.wait, lambda: line.waits(want.path)):
        if os.path.exists(target):
            return Known(want.digest.hex) if want.digest.kind == "sha256" else of_file(target, want.digest)
        if is_here():
            return None
        with Partial(quarantine.part(want.digest), want.digest, want.nbytes) as partial:
            if want.is_fresh:
                partial.restart()
            line.tell(want.path, partial.offset)
            _bring(want, partial, line)
            if not partial.is_right():
                mend(want, partial, line)
            known = partial.known()
            partial.finish(target)
        note(target, want.digest, quarantine)
        return known


def _bring(want: Want, partial: Partial, line: Line) -> None:
    """Every byte, from the first source that gives them."""
    for last, source in _in_turn(want.sources):
        try:
            _from(source, partial, line)
            return
        except NotFetched:
            if last:
                raise


def _in_turn(sources: tuple[Ask, ...]) -> list[tuple[bool, Ask]]:
    return [(at == len(sources) - 1, source) for at, source in enumerate(sources)]


def _from(source: Ask, partial: Partial, line: Line) -> None:
    """Connection after connection, as long as they bring something."""
    failures = drops = 0
    waited, was_slow = 0.0, False
    most = MOST_DROPS + (partial.nbytes or 0) // BYTES_A_DROP
    done = partial.is_whole
    while not done:
        before, since = partial.offset, line.now()
        try:
            _receive(source, partial, line, is_patient=was_slow)
            done = True
        except Slow:
            was_slow = True
            done = _at_once(source, partial, line)
        except (ConnectionError, TimeoutError) as error:
            failures = 1 if partial.offset - before >= ENOUGH else failures + 1
            drops += 1
            if failures >= MOST_FAILURES or drops >= most:
                raise cut(source.path, partial.offset, drops, error) from error
            line.client.wait(min(0.25 * 2**failures, LONGEST_WAIT))
        except NotFetched as error:
            seconds = error.saying.values.get("seconds")
            waited += line.now() - since  # it was asked several times
            if not isinstance(seconds, float) or waited + seconds > line.patience:
                raise
            waited += max(seconds, 1.0)
            line.client.wait(seconds)


def _at_once(source: Ask, partial: Partial, line: Line) -> bool:
    """By several connections; False where those do not bring all of it."""
    try:
        in_ranges(source, partial, line)
    except ConnectionError:
        return False
    return True


def cut(path: str, offset: int, tries: int, error: OSError) -> NotFetched:
    """A connection that failed too often."""
    return NotFetched("http.cut", path=path, offset=offset or None, tries=tries, reason=str(error))


def _receive(source: Ask, partial: Partial, line: Line, *, is_patient: bool) -> None:
    """One connection: what is missing, or all of it where the server knows no ranges. Raises Slow, but once."""
    if partial.nbytes is None:
        partial.restart()
    start = partial.offset
    headers = {**source.headers, "range": f"bytes={start}-"} if start else source.headers
    answer = ask(line.client, msgspec.structs.replace(source, headers=headers)).answer
    try:
        skip = held_against(answer, source.path, start, partial.nbytes)
        gives_ranges = answer.status == 206 or answer.headers.get("accept-ranges", "").lower() == "bytes"
        may_split = gives_ranges and not is_patient and line.pace.rate is None and line.connections > 1
        _copy(answer, (source, partial), line, skip=skip, may_split=may_split)
    finally:
        answer.close()


def _copy(answer: Answer, into: tuple[Ask, Partial], line: Line, *, skip: int, may_split: bool) -> None:
    """The body to the end of the partial, but for what is there already."""
    assert isinstance(answer, BulkAnswer)
    source, partial = into
    buffer, other = memoryview(bytearray(PIECE)), memoryview(bytearray(PIECE))
    started, received = line.now(), 0
    while True:
        line.check()
        room = skip or partial.room
        if not room and partial.nbytes is not None:
            break
        count, error = fill(answer, buffer[: line.pace.piece(min(room, PIECE))], line.now)
        received += count
        if skip:
            skip -= count
        elif count:
            partial.append(buffer[:count])
            buffer, other = other, buffer  # what was appended is still being hashed
            line.tell(source.path, partial.offset)
        if error is not None:
            raise error
        if not count:
            break
        line.pace.spend(count)
        _check_speed(received, line.now() - started, partial, may_split=may_split)
    _check_end(answer, partial, source.path)


def _check_speed(received: int, seconds: float, partial: Partial, *, may_split: bool) -> None:
    if seconds > GRACE_SECONDS + received / LEAST_RATE:
        raise TimeoutError("SlowBody")
    is_slow = seconds > SLOW_AFTER and received < SLOW_RATE * seconds
    if may_split and is_slow and (partial.nbytes or 0) - partial.offset >= LEAST_IN_RANGES:
        raise Slow


def _check_end(answer: BulkAnswer, partial: Partial, path: str) -> None:
    if partial.nbytes is None:
        partial.nbytes = partial.offset
    elif not partial.is_whole:
        raise ConnectionError(f"{partial.offset} of {partial.nbytes} bytes")
    elif answer.readinto(memoryview(bytearray(1))):
        raise NotFetched("http.size", path=path, said=partial.offset + 1, size=partial.nbytes)
