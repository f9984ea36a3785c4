"""SentencePiece: a tokenizer's pieces with their scores, and how it was trained.

Field numbers are those of https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from weigh.codecs.protobuf import Wire
from weigh.codecs.protobuf_shape import Kind, fits
from weigh.core.errors import FormatError
from weigh.core.format import Format
from weigh.core.header import Header, LongArray, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source

_MODEL: Mapping[int, Kind] = {
    1: "message",  # pieces
    2: "message",  # trainer_spec
    3: "message",  # normalizer_spec
    4: "message",  # self_test_data
    5: "message",  # denormalizer_spec
}
_PIECE: Mapping[int, Kind] = {1: "text", 2: "fixed32", 3: "varint"}
_TYPES = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
_LOOKED_AT = 8
_FIRST = 16


def matches(source: Source) -> bool:
    """Pieces from the first byte on, each a text; those that stand for no text of their own may have no score."""
    if source.read(0, 1) != b"\x0a":
        return False
    wire, whole = Wire(source), (0, source.size)
    if fits(wire, whole, _MODEL, most=_LOOKED_AT) is None:
        return False
    try:
        fields = [(value, after) for number, _, value, after in islice(wire.fields(whole), _LOOKED_AT) if number == 1]
    except FormatError:
        return False
    pieces = [fits(wire, span, _PIECE) or frozenset() for span in fields]
    return bool(pieces) and all(1 in piece for piece in pieces) and any(2 in piece for piece in pieces)


def read(source: Source) -> Header:
    """How many pieces, the first of them, and the kind of model. Raises FormatError."""
    wire = Wire(source)
    model = wire.whole()
    pieces = model.spans(1)
    trained, normalised = model.message(2), model.message(3)
    metadata: dict[str, Meta] = {
        "pieces": LongArray(
            type="string",
            count=len(pieces),
            first=tuple(wire.message(span).text(1) or "" for span in pieces[:_FIRST]),
        ),
        "model_type": _TYPES.get(trained.unsigned(3) or 1) if trained is not None else None,
        "byte_fallback": bool(trained.unsigned(35)) if trained is not None else None,
        "normalizer": normalised.text(1) if normalised is not None else None,
    }
    return Header(format="sentencepiece", metadata={key: one for key, one in metadata.items() if one is not None})


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Nothing: pieces and numbers only."""
    return iter(())


FORMAT = Format(name="sentencepiece", suffixes=(".model",), matches=matches, read=read, examine=examine, is_model=False)
