"""One file read and examined, and what it contains as far as it goes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from itertools import islice

import msgspec

from weigh.codecs.pickle import calls_something
from weigh.codecs.pickle_observations import observe
from weigh.core.errors import FormatError, OverBudget, SourceError, Truncated, WeighError
from weigh.core.format import Format
from weigh.core.header import Header, Problem
from weigh.core.observation import Observation
from weigh.core.rule import Examined
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.formats import detect, of_name
from weigh.sources.distant import distant
from weigh.sources.memory import CutSource, MemorySource
from weigh.sources.refusals import NotFetched, Refused

MOST_OBSERVATIONS = 100_000
# Of all that one file contains, however deep:
MOST_DEPTH = 3
MOST_MEMBERS = 5_000
MOST_UNPACKED = 96 << 20
MOST_KEPT = 300_000  # tensors and observations
MOST_SECONDS = 1.0  # of the processor; after that none is begun but the first of each container

# Formats that follow pickles themselves, wherever in the file they are:
RUN = frozenset({"pickle", "joblib", "pytorch", "pytorch-legacy", "pytorch-tar", "torchscript", "git-lfs-pointer"})

Clock = Callable[[], float]  # of this thread's own work: neither a busy machine nor a slow server counts as effort


def examine(source: Source, own: tuple[Format, ...] = ()) -> Examined:
    """One file alone; what ends the reading becomes a Problem of what was seen until then.

    `own` are a company's formats, asked where none of ours knows the content. Raises Refused: that is no account of
    one file.
    """
    problems: list[Problem] = []
    observations: list[Observation] = []
    header: Header | None = None
    format: Format | None = None
    try:
        format = detect(source, own)
        header = format.read(source)
        problems += header.problems
        _gather(observations, format.examine(source, header), source.path)
    except Refused:
        raise
    except (FormatError, SourceError) as error:
        problems += _untold(problem_of(error), problems)
    observations += _run_all_the_same(source, format)
    # Not while the error is held: with it goes all that the reading held.
    if header is None and format is not None and format.name != "unknown":
        observations += _seen_all_the_same(source, format)
    return Examined(
        path=source.path,
        format=format.name if format is not None else "unknown",
        nbytes=source.size,
        header=header,
        problems=tuple(problems),
        observations=tuple(observations),
    )


def examine_whole(source: Source, own: tuple[Format, ...] = (), *, clock: Clock = time.thread_time) -> list[Examined]:
    """The file first, then what it contains, each called `outer!/inner`; where a bound ends that, a Problem says so."""
    return list(_Walk(own, clock).file(source, depth=0, cut=False))


def problem_of(error: WeighError) -> Problem:
    """What ended a reading, as a Problem."""
    return Problem(kind=_kind(error), detail=error.saying, offset=error.offset)


def _gather(observations: list[Observation], found: Iterator[Observation], path: str) -> None:
    """Raises OverBudget for more than so many: what is not looked at is told."""
    for seen in found:
        if len(observations) == MOST_OBSERVATIONS:
            raise OverBudget(
                "too_many", path=path, what="observations", count=len(observations), most=MOST_OBSERVATIONS
            )
        observations.append(seen)


def _run_all_the_same(source: Source, format: Format | None) -> Iterator[Observation]:
    """What a loader of pickles would run of a file that is something else as well, such as a picture."""
    if format is None or format.name in RUN or distant(source) is not None or not calls_something(source):
        return
    with contextlib.suppress(FormatError, SourceError):
        yield from (seen for seen in islice(observe(source), MOST_OBSERVATIONS) if seen.kind in ("import", "extension"))


def _untold(problem: Problem, told: list[Problem]) -> list[Problem]:
    """What ends the reading of a header often ends the examination as well: it is told once."""
    return [problem] if all(one.detail != problem.detail for one in told) else []


def _kind(error: WeighError) -> str:
    match error:
        case Truncated():
            return "truncated"
        case OverBudget():
            return "over-budget"
        case FormatError():
            return "malformed"
        case NotFetched():
            return "not-fetched"
        case _:
            return "unreadable"


def _seen_all_the_same(source: Source, format: Format) -> Iterator[Observation]:
    """A header that cannot be read does not excuse us from looking: a loader may run what stands before the break."""
    try:
        yield from islice(format.examine(source, Header(format=format.name)), MOST_OBSERVATIONS)
    except (FormatError, SourceError):
        return


class _Walk:
    """One file's insides and what is left of their budgets."""

    def __init__(self, own: tuple[Format, ...], clock: Clock) -> None:
        self.own, self.clock = own, clock
        self.until = clock() + MOST_SECONDS
        self.members, self.unpacked, self.kept = MOST_MEMBERS, MOST_UNPACKED, MOST_KEPT

    def file(self, source: Source, *, depth: int, cut: bool) -> Iterator[Examined]:
        seen = examine(source, self.own)
        opens = of_name(seen.format).members
        if opens is None:
            yield self.kept_of(_without_the_cut(seen) if cut else seen)
            return
        inside: list[Examined] = []
        problems = list(seen.problems)
        try:
            if depth == MOST_DEPTH:
                raise OverBudget("archive.depth", path=source.path, most=MOST_DEPTH)
            for member in opens(source):
                self.spend(member, is_first=not inside)
                inside += self.file(member, depth=depth + 1, cut=cut or isinstance(member, CutSource))
        except (FormatError, SourceError) as error:
            problems += _untold(problem_of(error), problems)
        whole = msgspec.structs.replace(seen, problems=tuple(problems))
        yield self.kept_of(_without_the_cut(whole) if cut else whole)
        yield from inside

    def kept_of(self, seen: Examined) -> Examined:
        tensors = len(seen.header.tensors) if seen.header is not None else 0
        self.kept -= tensors + len(seen.observations)
        return seen

    def spend(self, member: Source, *, is_first: bool) -> None:
        self.members -= 1
        self.unpacked -= member.size if isinstance(member, MemorySource) else 0
        if self.members < 0:
            raise OverBudget("archive.members", path=member.path, most=MOST_MEMBERS)
        if self.unpacked < 0:
            raise OverBudget("archive.unpacked", path=member.path, most=MOST_UNPACKED)
        if self.kept < 0 or (self.clock() > self.until and not is_first):
            raise OverBudget("archive.effort", path=member.path)


def _without_the_cut(seen: Examined) -> Examined:
    """We cut it, or what it lies in is damaged: that it breaks off is not its own fault, and it was not seen whole."""
    problems = tuple(one for one in seen.problems if one.kind not in ("truncated", "malformed", "out-of-bounds"))
    cut = Problem(kind="over-budget", detail=Saying("problem.archive.cut", nbytes=seen.nbytes))
    return msgspec.structs.replace(seen, problems=(*problems, cut))
