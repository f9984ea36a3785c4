"""torch.save before 1.6: five pickles in a row, then the storages' bytes."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.hidden import observe_hidden
from weigh.codecs.pickle import run
from weigh.codecs.pickle_observations import LEGACY_MAGIC, legacy_streams, observe
from weigh.codecs.torch_objects import Rebuilt, Storage, keys_of, tensors_in
from weigh.core.format import Format
from weigh.core.header import Header, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source

_LENGTH = 8  # each storage is led by its number of elements


def matches(source: Source) -> bool:
    """The first pickle is the magic number."""
    if source.read(0, 1) not in (b"\x80", b"L", b"I"):
        return False
    first = run(source, end=min(source.size, 64))
    return first.error is None and first.value == LEGACY_MAGIC


def read(source: Source) -> Header:
    """Tensors of the fourth pickle, placed by the keys of the fifth. Raises FormatError."""
    streams = legacy_streams(source)
    for stream in streams:
        if stream.error is not None:
            raise stream.error
    tensors = tuple(tensors_in(streams[3].value))
    keys = streams[4].value if isinstance(streams[4].value, list) else []
    places, end = _places(tensors, [str(key) for key in keys], streams[4].end)
    problems: list[Problem] = []
    if end > source.size:
        detail = Saying("problem.truncated", missing=end - source.size, size=source.size)
        problems.append(Problem(kind="truncated", detail=detail, offset=source.size))
    elif end < source.size and all(key in places for key in map(str, keys)):
        detail = Saying("problem.trailing", nbytes=source.size - end)
        problems.append(Problem(kind="trailing", detail=detail, offset=end))
    for tensor in tensors:
        if tensor.storage is not None and tensor.last > tensor.storage.nbytes:
            detail = Saying("problem.torch.outside", name=tensor.name, needed=tensor.last, nbytes=tensor.storage.nbytes)
            problems.append(Problem(kind="out-of-bounds", detail=detail))
    return Header(
        format="pytorch-legacy",
        metadata={"protocol": streams[3].protocol, "keys": keys_of(streams[3].value)},
        tensors=tuple(tensor.info(places.get(tensor.storage.key) if tensor.storage else None) for tensor in tensors),
        problems=tuple(problems),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """All five pickles; what hides behind the storages; an archive behind them."""
    yield from observe(source)
    for problem in header.problems:
        if problem.kind == "trailing" and problem.offset is not None:
            yield from observe_hidden(source, problem.offset, source.size)


def _places(tensors: tuple[Rebuilt, ...], keys: list[str], start: int) -> tuple[dict[str, int], int]:
    """Where each storage's elements begin, and where the last one ends."""
    storages: dict[str, Storage] = {tensor.storage.key: tensor.storage for tensor in tensors if tensor.storage}
    places: dict[str, int] = {}
    at = start
    for key in keys:
        at += _LENGTH
        places[key] = at
        if key not in storages:  # of something that is no tensor: what follows cannot be placed
            break
        at += storages[key].nbytes
    return places, at


FORMAT = Format(
    name="pytorch-legacy",
    suffixes=(".pt", ".pth", ".bin", ".ckpt", ".tar"),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("storage_bytes",),
)
