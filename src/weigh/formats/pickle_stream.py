"""A plain Python pickle, one stream or several."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.codecs.hidden import observe_hidden
from weigh.codecs.numpy_objects import arrays_in
from weigh.codecs.pickle import MOST_OPCODES, is_pickle, run
from weigh.codecs.pickle_brisk import follow
from weigh.codecs.pickle_observations import BYTES_AN_OPCODE, observe
from weigh.codecs.torch_objects import keys_of, tensors_in
from weigh.core.errors import OverBudget
from weigh.core.format import Format
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.core.source import Source


def matches(source: Source) -> bool:
    """Bytes that run as opcodes, whatever the protocol."""
    return is_pickle(source)


def read(source: Source) -> Header:
    """The tensors and arrays of the first stream, if it holds any. Raises FormatError."""
    quick = follow(source, most=MOST_OPCODES + source.size // BYTES_AN_OPCODE)
    if quick.error is None and (not quick.imports or quick.num_opcodes > MOST_OPCODES):
        return Header(format="pickle", version=str(quick.protocol))
    stream = run(source)
    if isinstance(stream.error, OverBudget) and quick.error is None:
        return Header(format="pickle", version=str(quick.protocol))  # too many parts to look for tensors in them
    if stream.error is not None:
        raise stream.error
    tensors = (*(tensor.info(None) for tensor in tensors_in(stream.value)), *arrays_in(stream.value, {}))
    keys = keys_of(stream.value)
    return Header(
        format="pickle", version=str(stream.protocol), metadata={"keys": keys} if keys else {}, tensors=tensors
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Every stream up to the one that breaks off; what hides behind that; an archive behind them."""
    for seen in observe(source):
        yield seen
        if seen.kind == "gap" and seen.where is None and seen.offset is not None:
            yield from observe_hidden(source, seen.offset, source.size)


FORMAT = Format(
    name="pickle",
    suffixes=(".pkl", ".pickle"),
    matches=matches,
    read=read,
    examine=examine,
)
