"""A plain Python pickle, one stream or several."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.pickle import run
from weigh.codecs.pickle_observations import observe
from weigh.codecs.pickle_opcodes import OPCODES
from weigh.codecs.torch_objects import tensors_in
from weigh.core.format import Format
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Source

MOST_STREAMS = 1000
_FIRST_OF_TEXT = b"(cilp]}VSILFN"  # what pickles of protocol 0 begin with
_PROBE = 1 << 16


def matches(source: Source) -> bool:
    """A PROTO opcode and a known one behind it; or, for protocol 0 and 1, a head that runs as opcodes.

    A head that imports something is a pickle even where it breaks off later: a loader would run it until there.
    """
    head = source.read(0, 3)
    if head[:1] == b"\x80":
        return len(head) >= 3 and head[1] <= 5 and head[2] in OPCODES
    if len(head) < 2 or head[0] not in _FIRST_OF_TEXT + b"\x88\x89\x8c\x95":
        return False
    stream = run(source, end=min(source.size, _PROBE))
    if stream.imports:
        return all(_is_name(module) and _is_name(name) for module, name in stream.imports)
    return stream.error is None and (stream.end == source.size or stream.end > 8)


def read(source: Source) -> Header:
    """The tensors of the first stream, if it holds any. Raises FormatError."""
    stream = run(source)
    if stream.error is not None:
        raise stream.error
    tensors = tuple(tensor.info(None) for tensor in tensors_in(stream.value))
    return Header(format="pickle", version=str(stream.protocol), tensors=tensors)


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Every stream up to the one that breaks off; what follows the last is a gap."""
    at = 0
    for number in range(MOST_STREAMS):
        stream = run(source, offset=at)
        if number and stream.error is not None and not stream.imports:
            yield Observation(kind="gap", value="trailing", offset=at)
            return
        yield from observe(stream, None)
        at = stream.end
        if stream.error is not None or at >= source.size:
            return


def _is_name(text: str) -> bool:
    return text == "?" or (text != "" and all(word.isidentifier() for word in text.split(".")))


FORMAT = Format(
    name="pickle",
    suffixes=(".pkl", ".pickle"),
    matches=matches,
    read=read,
    examine=examine,
)
