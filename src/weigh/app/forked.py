"""A piece of work in a forked child, and what it sends: bytes over a pipe, each message led by its length."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import time
from collections.abc import Callable, Iterator

MOST_BYTES = 1 << 30  # of one message
MOST_WAITS, WAIT = 100, 0.0005  # seconds
_LENGTH = 4
_PIECE = 1 << 16

Send = Callable[[bytes], None]
Work = Callable[[Send], None]


def messages(work: Work, *, until: float) -> Iterator[bytes]:
    """What the child sends, until it ends or `until` by the monotonic clock; then it is gone, whatever it was doing.

    A message that breaks off is no message.
    """
    here, there = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(here)
        _done(work, there)
    os.close(there)
    try:
        yield from _received(here, until)
    finally:
        os.close(here)
        _end(child)


def _received(pipe: int, until: float) -> Iterator[bytes]:
    held = bytearray()
    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    while waiting.poll(max(until - time.monotonic(), 0) * 1000):
        piece = os.read(pipe, _PIECE)
        if not piece:
            return
        held += piece
        while len(held) >= _LENGTH:
            end = _LENGTH + int.from_bytes(held[:_LENGTH], "little")
            if end > MOST_BYTES:
                return
            if len(held) < end:
                break
            yield bytes(held[_LENGTH:end])
            del held[:end]


def _done(work: Work, pipe: int) -> None:
    """In the child: the work and no more, whatever comes of it; nothing of what the parent has begun is ended here."""

    def send(message: bytes) -> None:
        left = memoryview(len(message).to_bytes(_LENGTH, "little") + message)
        while left:
            left = left[os.write(pipe, left) :]

    try:
        work(send)
    except BaseException:  # the parent must not wait for an answer
        os._exit(1)
    os._exit(0)


def _end(child: int) -> None:
    """Who closed its pipe is about to leave; who did not, or takes its time, is ended."""
    with contextlib.suppress(ChildProcessError):  # where nobody keeps the dead, it is gone already
        for _ in range(MOST_WAITS):
            if os.waitpid(child, os.WNOHANG) != (0, 0):
                return
            time.sleep(WAIT)
        import signal

        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
