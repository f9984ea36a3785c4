"""A piece of work in a child that is started afresh, where a process cannot be forked: the same as `forked`, slower."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

from weigh.app.forked import Work


def messages(work: Work, *, until: float) -> Iterator[bytes]:
    """As `forked.messages`; the work is a function that a new process can import, or a partial of one."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_done, args=(work, there))
    child.start()
    there.close()
    try:
        while here.poll(max(until - time.monotonic(), 0)):
            try:
                yield here.recv_bytes()
            except (EOFError, OSError):
                return
    finally:
        here.close()
        child.kill()
        child.join()


def _done(work: Work, pipe: Connection) -> None:
    try:
        work(pipe.send_bytes)
    except BaseException:  # the parent must not wait for an answer
        os._exit(1)
    os._exit(0)
