"""An engine for tests that does what the prompt says: count, wait, print, raise, die."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator
from threading import Event as Flag

from weigh.core.engine import Failed, Launch, Ready
from weigh.core.work import Complete, Delta, Done, Event, Fault, Job


class Puppet:
    """Answers `complete` alone; the first word of the prompt says what to do."""

    ready = Ready(works=("complete",), parallel=4, context_length=64)

    def run(self, job: Job, cancelled: Flag) -> Generator[Event, None, None]:
        """Ends with Done, but for `silence`."""
        assert isinstance(job, Complete)
        word, _, rest = job.prompt.partition(" ")
        yield from DOES.get(word, _say)(rest or word, cancelled)
        if word != "silence":
            yield Done(finish_reason="cancelled" if cancelled.is_set() else "stop")


def load(launch: Launch) -> Puppet:
    """Loads anything but what is called bad, slow or deadly."""
    if launch.path == "bad":
        raise ValueError("this is no model")
    if launch.path == "slow":
        time.sleep(60)
    if launch.path == "deadly":
        os._exit(9)
    return Puppet()


def _say(rest: str, cancelled: Flag) -> Iterator[Event]:
    yield Delta(text=rest)


def _count(rest: str, cancelled: Flag) -> Iterator[Event]:
    for number in range(int(rest)):
        yield Delta(text=f"{number} ")


def _wait(rest: str, cancelled: Flag) -> Iterator[Event]:
    while not cancelled.is_set():
        yield Delta(text=".")
        time.sleep(0.01)


def _print(rest: str, cancelled: Flag) -> Iterator[Event]:
    print(rest)  # noqa: T201
    os.write(1, b"raw bytes of a library in C\n")
    yield from ()


def _die(rest: str, cancelled: Flag) -> Iterator[Event]:
    os.write(2, b"assertion failed: the puppet is dead\n")
    os._exit(3)


def _overflow(rest: str, cancelled: Flag) -> Iterator[Event]:
    raise Failed(Fault(kind="context_overflow", detail="70 tokens for a context of 64"))


def _raise(rest: str, cancelled: Flag) -> Iterator[Event]:
    raise ValueError(f"{rest}\nand more")


def _nothing(rest: str, cancelled: Flag) -> Iterator[Event]:
    yield from ()


DOES: dict[str, Callable[[str, Flag], Iterator[Event]]] = {
    "count": _count,
    "wait": _wait,
    "print": _print,
    "die": _die,
    "overflow": _overflow,
    "raise": _raise,
    "silence": _nothing,
}
