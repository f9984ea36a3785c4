"""The second wall: a reference is weighed in a child process with limits; a child that dies costs only its file."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from weigh.app.weigh import Tell, weigh_as
from weigh.app.wish import Weighed, Wish
from weigh.core.errors import WeighError
from weigh.core.finding import Skip
from weigh.core.model import Model
from weigh.core.reference import Reference
from weigh.core.report import FileReport, Report
from weigh.core.saying import Saying
from weigh.core.schema import SCHEMA
from weigh.names.reference import may_be_far, parse
from weigh.sources.folder import Folder

if TYPE_CHECKING:
    from weigh.app.network import Network

MOST_MEMORY = 1 << 30  # beyond what the program itself takes
LEAST_SECONDS = 120
BYTES_A_SECOND = 2 << 20
MOST_ALONE = 2000  # files that are tried one by one after a child died

Connect = Callable[[], AbstractContextManager["Network"]]


class Died(Exception):
    """The child ended without an answer, or took too long."""


def check(text: str, wish: Wish, tell: Tell | None = None, connect: Connect | None = None) -> Weighed:
    """As `weigh_as`, behind the wall; never raises for what the files do to their reader.

    `connect` opens the network, in the child, for what is not on this machine.
    """
    far = connect if may_be_far(text) else None
    try:
        return _in_a_child(text, wish, tell, far, seconds=_seconds(text))
    except Died:
        pass
    alone = msgspec.structs.replace(wish, leave_out=_culprits(text), jobs=1)
    try:
        return _in_a_child(text, alone, tell, far, seconds=_seconds(text))
    except Died:
        return _nothing_seen(text)


def _culprits(text: str) -> tuple[str, ...]:
    """The files whose reader dies of them, each tried alone."""
    if not os.path.isdir(text):
        return (text,)
    try:
        entries = Folder(text).entries[:MOST_ALONE]
    except WeighError:
        return ()
    found = []
    for entry in entries:
        path = os.path.join(text, *entry.path.split("/"))
        try:
            _in_a_child(path, Wish(), None, None, seconds=LEAST_SECONDS + entry.nbytes // BYTES_A_SECOND)
        except Died:
            found.append(entry.path)
    return tuple(found)


def _nothing_seen(text: str) -> Weighed:
    try:
        reference = parse(text, exists=os.path.lexists)
    except WeighError:
        reference = Reference(text=text, hub="name", name=text)
    file = FileReport(path=text, format="unknown", nbytes=0, verdict="incomplete", covered=False)
    skip = Skip(rule="not-covered", path=text, reason="over-budget", detail=Saying("problem.reader_died"), matters=True)
    return Weighed(
        report=Report(schema=SCHEMA, reference=reference, verdict="incomplete", files=(file,), skips=(skip,))
    )


def _seconds(text: str) -> int:
    """Time enough for an honest file of this size."""
    path = Path(text)
    try:
        sizes = [path.stat().st_size] if path.is_file() else [one.nbytes for one in Folder(text).entries]
    except (OSError, ValueError, WeighError):
        sizes = []
    return LEAST_SECONDS + sum(sizes) // BYTES_A_SECOND


def _in_a_child(text: str, wish: Wish, tell: Tell | None, connect: Connect | None, *, seconds: float) -> Weighed:
    """Raises Died."""
    forks = "fork" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork") if forks else multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    sys.stdout.flush()
    child = context.Process(target=_child, args=(there, text, wish, connect))
    child.start()
    there.close()
    try:
        return _answer(here, tell, until=time.monotonic() + seconds)
    finally:
        here.close()
        if child.is_alive():
            child.join(1)
        if child.is_alive():
            child.kill()
        child.join()


def _answer(here: Connection, tell: Tell | None, *, until: float) -> Weighed:
    while True:
        if not here.poll(max(until - time.monotonic(), 0)):
            raise Died
        try:
            message = here.recv_bytes()
        except (EOFError, OSError) as error:
            raise Died from error
        if message[:1] != b"p":
            break
        if tell is not None:
            done, _, number = message[1:].decode().partition(" ")
            tell(int(done), int(number))
    try:
        return msgspec.msgpack.decode(message, type=Weighed, dec_hook=_revive)
    except msgspec.MsgspecError as error:
        raise Died from error


def _child(there: Connection, text: str, wish: Wish, connect: Connect | None) -> None:
    """In the child: limits, then the work; what it prints goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    _limit()
    try:
        with connect() if connect is not None else nullcontext() as network:
            weighed = weigh_as(text, wish, network, lambda done, number: there.send_bytes(b"p%d %d" % (done, number)))
        model = weighed.report.model
        report = msgspec.structs.replace(weighed.report, model=Model(licence=model.licence) if model else None)
        message = msgspec.msgpack.encode(msgspec.structs.replace(weighed, report=report), enc_hook=_plain)
    except BaseException:  # whatever it is, the parent must not wait for an answer
        os._exit(1)
    there.send_bytes(message)
    os._exit(0)


def _limit() -> None:
    """No more memory than an honest file needs; no core left behind."""
    try:
        import resource
    except ImportError:  # no such limits here; time still holds
        return
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except (OSError, ValueError):
        return
    most = pages * resource.getpagesize() + MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _plain(value: object) -> object:
    if isinstance(value, Saying):
        return {"key": value.key, "values": dict(value.values)}
    raise TypeError(type(value))


def _revive(kind: type, value: object) -> object:
    if kind is Saying and isinstance(value, dict):
        return Saying(str(value["key"]), **value["values"])
    raise TypeError(kind)
