"""The second wall: a reference is weighed in a child process with limits; a child that dies costs only its file."""

from __future__ import annotations

import gc
import importlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from weigh.app.wish import Named, Weighed, Wish
from weigh.core.claim import Claim
from weigh.core.errors import WeighError
from weigh.core.facts import Fact
from weigh.core.finding import Finding, Skip, Verdict
from weigh.core.model import Model
from weigh.core.name import Name
from weigh.core.reference import Reference
from weigh.core.report import Failure, FileReport, Report, Step
from weigh.core.saying import Saying
from weigh.core.schema import SCHEMA
from weigh.core.value import Value
from weigh.names.reference import may_be_far, parse
from weigh.sources.folder import Folder

if TYPE_CHECKING:
    from weigh.app.forked import Send, Work
    from weigh.app.network import Network
    from weigh.app.weigh import Tell

MOST_MEMORY = 1 << 30  # beyond what the program itself takes
LEAST_SECONDS = 120
BYTES_A_SECOND = 2 << 20
MOST_ALONE = 2000  # files that are tried one by one after a child died
PROGRESS, ANSWER = b"p", b"a"  # what a message begins with

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


def prepare() -> None:
    """Load here what each child would load for itself: worth it for who checks more than once."""
    importlib.import_module("weigh.app.weigh")


def _culprits(text: str) -> tuple[str, ...]:
    """The files whose reader dies of them, each tried alone."""
    if not os.path.isdir(text):
        return (text,)
    try:
        entries = Folder(text).entries[:MOST_ALONE]
    except WeighError:
        return ()
    prepare()
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
    try:
        sizes = [os.stat(text).st_size] if os.path.isfile(text) else [one.nbytes for one in Folder(text).entries]
    except (OSError, ValueError, WeighError):
        sizes = []
    return LEAST_SECONDS + sum(sizes) // BYTES_A_SECOND


def _in_a_child(text: str, wish: Wish, tell: Tell | None, connect: Connect | None, *, seconds: float) -> Weighed:
    """Raises Died."""
    answer = b""
    for message in _messages(partial(_work, text, wish, connect), time.monotonic() + seconds):
        answer = message[1:] if message[:1] == ANSWER else b""
        if message[:1] == PROGRESS and tell is not None:
            done, _, number = message[1:].decode().partition(" ")
            tell(int(done), int(number))
    try:
        return _weighed(msgspec.msgpack.decode(answer, type=_Answer, dec_hook=_revive))
    except msgspec.MsgspecError as error:
        raise Died from error


def _messages(work: Work, until: float) -> Iterator[bytes]:
    """As this system makes a child."""
    if hasattr(os, "fork"):
        from weigh.app.forked import messages
    else:
        from weigh.app.spawned import messages
    return messages(work, until=until)


def _work(text: str, wish: Wish, connect: Connect | None, send: Send) -> None:
    """In the child: limits, then the work; what it prints goes nowhere.

    Here is loaded what the parent has no use for, unless it is prepared: a small parent forks sooner.
    """
    from weigh.app.weigh import weigh_as

    gc.freeze()  # what the parent has made is not ours to look through
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    _limit()
    with connect() if connect is not None else nullcontext() as network:
        weighed = weigh_as(text, wish, network, lambda done, number: send(PROGRESS + b"%d %d" % (done, number)))
    send(ANSWER + msgspec.msgpack.encode(_answer(weighed), enc_hook=_plain))


class _Answer(Value, frozen=True, kw_only=True):
    """What comes through the wall: of a Report and its model what a check says, and the imports."""

    reference: Reference
    verdict: Verdict | None = None
    format: str | None = None
    name: Name | None = None
    files: tuple[FileReport, ...] = ()
    claims: tuple[Claim, ...] = ()
    findings: tuple[Finding, ...] = ()
    skips: tuple[Skip, ...] = ()
    next_steps: tuple[Step, ...] = ()
    error: Failure | None = None
    has_model: bool = False
    licence: Fact[str] | None = None
    imports: tuple[Named, ...] = ()


_SAID = [name for name in _Answer.__struct_fields__ if name in Report.__struct_fields__]


def _answer(weighed: Weighed) -> _Answer:
    report, model = weighed.report, weighed.report.model
    said = {name: getattr(report, name) for name in _SAID}
    licence = model.licence if model is not None else None
    return _Answer(**said, has_model=model is not None, licence=licence, imports=weighed.imports)


def _weighed(answer: _Answer) -> Weighed:
    said = {name: getattr(answer, name) for name in _SAID}
    model = Model(licence=answer.licence) if answer.has_model else None
    return Weighed(report=Report(schema=SCHEMA, model=model, **said), imports=answer.imports)


def _limit() -> None:
    """No more memory than an honest file needs; no core left behind."""
    try:
        import resource
    except ImportError:  # no such limits here; time still holds
        return
    try:
        with open("/proc/self/statm", "rb") as file:
            pages = int(file.read().split()[0])
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
