"""The child process of an engine: one model, jobs from standard input, events to standard output."""

from __future__ import annotations

import functools
import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import BinaryIO

import msgspec

from weigh.core.engine import Failed, Launch, Loaded, Ready
from weigh.core.work import Done, Embed, Event, Fault, Job, Vectors, job_from
from weigh.engines.frames import Kind, encode, frame, take
from weigh.engines.lifeline import hold_on

Say = Callable[[int, Event | Ready], None]
MOST_DETAIL = 2000


def main() -> None:
    """`python -m weigh.engines.child MODULE`: the module's `load` is called with the Launch of the first frame."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the program that started us decides
    hold_on()
    say = _speaker(_take_standard_output())
    inbox = sys.stdin.buffer
    first = take(inbox)
    if first is None:
        return
    try:
        loaded = importlib.import_module(sys.argv[1]).load(msgspec.msgpack.decode(first[2], type=Launch))
    except BaseException as error:
        say(0, _fault(error))
        return
    say(0, loaded.ready)
    _serve(inbox, loaded, say)
    sys.stderr.flush()
    os._exit(0)  # nobody listens any more: what still runs is not waited for


def _take_standard_output() -> BinaryIO:
    """Ours alone: what a library prints goes to standard error."""
    mine = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    return mine


def _speaker(out: BinaryIO) -> Say:
    lock = threading.Lock()

    def say(number: int, event: Event | Ready) -> None:
        data = memoryview(frame(Kind.ANSWER, number, encode(event)))
        with lock:
            while data:
                data = data[out.write(data) :]

    return say


def _serve(inbox: BinaryIO, loaded: Loaded, say: Say) -> None:
    """Until standard input ends."""
    flags: dict[int, threading.Event] = {}
    waiting: dict[int, Future[None]] = {}
    pool = ThreadPoolExecutor(loaded.ready.parallel)
    while (got := take(inbox)) is not None:
        number, kind, body = got
        if kind is Kind.START:
            flags[number] = threading.Event()
            waiting[number] = pool.submit(_one, number, body, loaded, flags, say)
            waiting[number].add_done_callback(functools.partial(_forget, waiting, number))
        elif kind is Kind.CANCEL and (flag := flags.get(number)) is not None:
            flag.set()
            if (future := waiting.get(number)) is not None and future.cancel():
                say(number, Done(finish_reason="cancelled"))  # it had not begun
                flags.pop(number, None)
    for flag in list(flags.values()):
        flag.set()


def _forget(waiting: dict[int, Future[None]], number: int, _: Future[None]) -> None:
    waiting.pop(number, None)


def _one(number: int, body: bytes, loaded: Loaded, flags: dict[int, threading.Event], say: Say) -> None:
    flag = flags[number]
    try:
        _run(number, job_from(body), loaded, flag, say)
    except BrokenPipeError:
        pass
    except BaseException as error:
        say(number, _refused(error) or _fault(error))
    finally:
        del flags[number]


def _run(number: int, job: Job, loaded: Loaded, flag: threading.Event, say: Say) -> None:
    if flag.is_set():
        say(number, Done(finish_reason="cancelled"))
        return
    with closing(loaded.run(job, flag)) as events:
        for event in events:
            if isinstance(event, Vectors) and (fault := too_short(job, event)) is not None:
                event = fault
            say(number, event)
            if isinstance(event, Done | Fault):
                return
    say(number, Fault(kind="failed", detail="the engine ended without an answer"))


def too_short(job: Job, vectors: Vectors) -> Fault | None:
    """Where more numbers of each vector were asked for than there are."""
    wanted = job.dimensions if isinstance(job, Embed) else None
    if wanted is None or wanted <= vectors.dimensions:
        return None
    return Fault(kind="bad_input", detail=f"{wanted} numbers a vector; it makes {vectors.dimensions}")


def _fault(error: BaseException) -> Fault:
    if isinstance(error, Failed):
        return error.fault
    if isinstance(error, MemoryError):
        return Fault(kind="out_of_memory", detail=_line(error))
    return Fault(kind="failed", detail=_line(error))


def _refused(error: BaseException) -> Fault | None:
    """What a library does not take is the job's own mistake: an argument out of range, a language it has not."""
    if isinstance(error, ValueError) and not isinstance(error, UnicodeError | json.JSONDecodeError):
        return Fault(kind="bad_input", detail=_line(error))
    return None


def _line(error: BaseException) -> str:
    """Its own words, on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:MOST_DETAIL]


if __name__ == "__main__":
    main()
