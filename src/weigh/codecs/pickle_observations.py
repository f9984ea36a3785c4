"""What the pickles in a file show, as Observations: in a row, in a zip's members, in bytes handed to a loader."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from weigh.codecs.pickle import MOST_OPCODES, is_plausible, run
from weigh.codecs.pickle_brisk import follow as briskly
from weigh.codecs.pickle_nodes import JUDGED, LOADERS, Global, Node, Persistent, Stream
from weigh.codecs.pickle_opcodes import OPCODES
from weigh.codecs.torch_objects import storage_of
from weigh.codecs.zip import MOST_INFLATED, Member, Window, is_zip, open_member, read_directory
from weigh.core.errors import FormatError, OverBudget
from weigh.core.observation import Observation
from weigh.core.source import Source
from weigh.sources.memory import MemorySource

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # the first of a torch file's five pickles; storages' bytes follow the fifth
LEGACY_STREAMS = 5
MOST_STREAMS = 200_000
MOST_UNNAMED = 100_000  # opcodes of a member that is not called a pickle: a constant tensor may run for ever
MOST_SEEN = 90_000
BYTES_AN_OPCODE = 2
MOST_DEPTH = 4  # of files in bytes in files


def observe(
    source: Source, *, follow: Callable[..., Stream] = briskly, only_named: bool = False
) -> Iterator[Observation]:
    """All pickles of the file, whatever else it is. Raises FormatError after what was seen.

    `follow` is how a stream is followed, with the arguments of `run`. `only_named` leaves out the members of an
    archive that are not called pickles: whoever asks so says so.
    """
    walk = _Walk(follow, only_named=only_named)
    if not isinstance(source, MemorySource):  # what lies on a disk in full length may take the time that this takes
        walk.opcodes += source.size // BYTES_AN_OPCODE
    for number, seen in enumerate(walk.file(source, None, 0)):
        if number == MOST_SEEN:
            raise OverBudget("too_many", path=source.path, what="GLOBAL", count=number, most=MOST_SEEN)
        yield seen


def legacy_streams(source: Source) -> list[Stream]:
    """The five pickles of torch.save before 1.6, fewer where one breaks off."""
    streams: list[Stream] = []
    at = 0
    while len(streams) < LEGACY_STREAMS and not (streams and streams[-1].error):
        streams.append(run(source, offset=at))
        at = streams[-1].end
    return streams


class _Walk:
    """One examination and what is left of its budgets."""

    def __init__(self, follow: Callable[..., Stream] = briskly, *, only_named: bool = False) -> None:
        self.follow, self.only_named = follow, only_named
        self.opcodes, self.streams, self.inflated = MOST_OPCODES, MOST_STREAMS, MOST_INFLATED

    def file(self, source: Source, where: str | None, depth: int) -> Iterator[Observation]:
        """The pickles it begins with and those in the zip that it is or ends with: loaders differ."""
        archive = is_zip(source)
        if source.read(0, 2) != b"PK":
            yield from self.row(source, where, depth)
        if archive:
            yield from self.members(source, where, depth)

    def row(self, source: Source, where: str | None, depth: int) -> Iterator[Observation]:
        """Every stream up to the one that breaks off; what follows the last is a gap."""
        at, number, last = 0, 0, source.size
        while at < source.size and number < last:
            stream = self.run(source, at)
            if number and stream.error is not None and not stream.imports:
                yield Observation(kind="gap", value="trailing", where=where, offset=at)
                return
            yield from self.stream(stream, source, where, depth)
            if stream.error is not None:
                return
            if number == 0 and stream.value == LEGACY_MAGIC:
                last = LEGACY_STREAMS
            at, number = stream.end, number + 1

    def members(self, source: Source, where: str | None, depth: int) -> Iterator[Observation]:
        """Every member that is a pickle, whatever it is called; bytes that several entries share are read once."""
        seen: set[tuple[int, int]] = set()
        for member in read_directory(source).members:
            if (member.offset, member.packed) in seen:
                continue
            seen.add((member.offset, member.packed))
            if self.only_named and not _is_called_a_pickle(member):
                continue
            inside = f"{where}!/{member.name}" if where else member.name
            yield from self.member(source, member, inside, depth)

    def member(self, source: Source, member: Member, where: str, depth: int) -> Iterator[Observation]:
        named = _is_called_a_pickle(member)
        try:
            content = self.content(source, member)
        except OverBudget:
            raise
        except FormatError as error:
            if named:
                yield Observation(kind="stream_error", value=error.saying.key, where=where, offset=error.offset)
            return
        head = content.read(0, 4)
        if not named and (not head or head[0] not in OPCODES):
            return
        if not named and depth < MOST_DEPTH and head == b"PK\x03\x04" and is_zip(content):
            yield from self.members(content, where, depth + 1)
            return
        stream = self.run(content, 0, most=None if named else MOST_UNNAMED)
        if named or is_plausible(stream, content):
            yield from self.stream(stream, content, where, depth)

    def content(self, source: Source, member: Member) -> Source:
        if member.method:
            self.inflated -= member.nbytes
            if self.inflated < 0:
                raise OverBudget("zip.inflated", path=source.path, offset=member.offset, most=MOST_INFLATED)
        return open_member(source, member)

    def run(self, source: Source, at: int, *, most: int | None = None) -> Stream:
        if self.streams <= 0 or self.opcodes <= 0:
            raise OverBudget("pickle.opcodes", path=source.path, offset=at, most=MOST_OPCODES)
        stream = self.follow(source, offset=at, most=min(most or self.opcodes, self.opcodes))
        self.opcodes -= stream.num_opcodes
        self.streams -= 1
        return stream

    def stream(self, stream: Stream, source: Source, where: str | None, depth: int) -> Iterator[Observation]:
        """What it names and calls; a loader is harmless, and not named, if all bytes handed to it are looked at."""
        deeper = depth < MOST_DEPTH and not any(stream.loose.get(loader) for loader in LOADERS)
        for (module, name), offset in stream.imports.items():
            excused = (module, name) in JUDGED and not stream.loose.get((module, name))
            if not excused or ((module, name) in LOADERS and not deeper):
                yield Observation(kind="import", value=f"{module} {name}", where=where, offset=offset)
        yield from _used(stream, where)
        for blob in stream.nested.values() if deeper else ():
            inside = Window(source, blob.offset, blob.nbytes, path=source.path)
            yield from self.file(inside, f"{where or ''}@{blob.offset}", depth + 1)
        if stream.error is not None:
            yield Observation(
                kind="stream_error", value=stream.error.saying.key, where=where, offset=stream.error.offset
            )
        if isinstance(stream.error, OverBudget):
            raise stream.error


def _is_called_a_pickle(member: Member) -> bool:
    return member.name.lower().endswith(".pkl")


def _used(stream: Stream, where: str | None) -> Iterator[Observation]:
    for bomb, offset in stream.bombs.items():
        yield Observation(kind="bomb", value=bomb, where=where, offset=offset)
    for (module, name), offset in stream.calls.items():
        yield Observation(kind="call", value=f"{module} {name}", where=where, offset=offset)
    for code, offset in stream.extensions.items():
        yield Observation(kind="extension", value=str(code), where=where, offset=offset)
    if not all(_is_torchs_own(value) for value in stream.persistent):
        yield Observation(kind="persistent_id", value="?", where=where)


def _is_torchs_own(value: Node) -> bool:
    """A storage, or the class and source text that the old format keeps of a whole module."""
    match value:
        case ("module", Global(), *_):
            return True
        case _:
            return storage_of(Persistent(value)) is not None
