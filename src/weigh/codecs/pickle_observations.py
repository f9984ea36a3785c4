"""What a pickle stream shows, as Observations."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.pickle import Global, Node, Persistent, Stream
from weigh.codecs.torch_objects import storage_of
from weigh.core.observation import Observation


def observe(stream: Stream, where: str | None) -> Iterator[Observation]:
    """Imports, calls, extension codes, foreign persistent ids, and where the stream broke off."""
    for (module, name), offset in stream.imports.items():
        yield Observation(kind="import", value=f"{module} {name}", where=where, offset=offset)
    for (module, name), offset in stream.calls.items():
        yield Observation(kind="call", value=f"{module} {name}", where=where, offset=offset)
    for code, offset in stream.extensions.items():
        yield Observation(kind="extension", value=str(code), where=where, offset=offset)
    if not all(_is_torchs_own(value) for value in stream.persistent):
        yield Observation(kind="persistent_id", value="?", where=where)
    if stream.error is not None:
        yield Observation(kind="stream_error", value=stream.error.saying.key, where=where, offset=stream.error.offset)


def _is_torchs_own(value: Node) -> bool:
    """A storage, or the class and source text that the old format keeps of a whole module."""
    match value:
        case ("module", Global(), *_):
            return True
        case _:
            return storage_of(Persistent(value)) is not None
