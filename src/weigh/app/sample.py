"""What a name is held against beyond headers: a few stretches of weights, and the vocabulary where it matters."""

from __future__ import annotations

import math
import re
import struct
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence

from weigh.codecs.vocabulary import gguf_tokens, json_tokens, line_tokens, piece_tokens
from weigh.core.errors import FormatError, SourceError
from weigh.core.model import Model
from weigh.core.name import Name
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.describe.languages import stated, vocabulary_of
from weigh.describe.seen import Sample, Seen, Vocabulary, Weights
from weigh.describe.trained import expects_training
from weigh.describe.weights import one_set
from weigh.names.decode import decode

STRETCHES, LONG = 8, 512  # of one matrix: how many, of how many elements
MOST_MATRICES, MOST_VECTORS, MOST_OF_A_ROLE = 24, 32, 4

Open = Callable[[str], Source]

_BYTES = {"BF16": 2, "F16": 2, "F32": 4}
_NUMBER = re.compile(r"\d+")
_NORM = re.compile(r"(?:norm|ln|layernorm|layer_norm)[\w.]*\.weight$|_norm\.weight$", re.IGNORECASE)
_TOKENIZERS: tuple[tuple[str, Callable[[Source], Iterator[str]]], ...] = (
    ("tokenizer.json", json_tokens),
    ("tokenizer.model", piece_tokens),
    ("spiece.model", piece_tokens),
    ("sentencepiece.bpe.model", piece_tokens),
    ("vocab.txt", line_tokens),
)


def look(name: Name | None, model: Model, source: Open | None) -> Seen:
    """What the name asks to see. `source` opens one of the model's files; without it nothing is opened."""
    base = decode(_plain(model.base_model.value)) if model.base_model is not None else None
    if name is None or source is None:
        return Seen(base=base)
    return Seen(
        base=base,
        vocabulary=_vocabulary(model, source) if stated(name) else None,
        weights=_weights(model, source) if expects_training(name, model) else None,
    )


def _plain(base: str) -> str:
    """`Qwen2.5 7B` of a GGUF as a name is written."""
    return base.strip().replace(" ", "-")


def _vocabulary(model: Model, source: Open) -> Vocabulary | None:
    paths = [file.path for file in model.files]
    for file in one_set(model.files, None):
        if file.format == "gguf" and (tokens := _tokens(file.path, gguf_tokens, source)):
            return vocabulary_of(tokens)
    for name, read in _TOKENIZERS:
        if name in paths and (tokens := _tokens(name, read, source)):
            return vocabulary_of(tokens)
    return None


def _tokens(path: str, read: Callable[[Source], Iterator[str]], source: Open) -> list[str]:
    """None are a vocabulary that cannot be read: others say what is wrong with the file."""
    try:
        return list(read(source(path)))
    except (FormatError, SourceError):
        return []


def _weights(model: Model, source: Open) -> Weights:
    samples: list[Sample] = []
    norms: list[bool] = []
    biases: list[bool] = []
    for file in one_set(model.files, None):
        tensors = [one for one in file.header.tensors if _is_plain(one)] if file.header is not None else []
        matrices = _spread([one for one in tensors if len(one.shape) == 2 and one.num_elements >= STRETCHES * LONG])
        vectors = [one for one in tensors if len(one.shape) == 1]
        try:
            data = source(file.path) if matrices else None
            if data is None:
                continue
            samples += [one for tensor in matrices[: MOST_MATRICES - len(samples)] if (one := _sample(data, tensor))]
            norms += _are(data, [one for one in vectors if _NORM.search(one.name)], (0.0, 1.0))
            biases += _are(data, [one for one in vectors if one.name.endswith(".bias")], (0.0,))
        except SourceError:
            continue
    return Weights(
        samples=tuple(samples),
        norms=len(norms),
        fresh_norms=sum(norms),
        biases=len(biases),
        zero_biases=sum(biases),
    )


def _is_plain(tensor: TensorInfo) -> bool:
    return tensor.dtype in _BYTES and tensor.offset is not None and tensor.storage is None


def _spread(tensors: Sequence[TensorInfo]) -> list[TensorInfo]:
    """A few of each role, from the first layer to the last; roles with the most matrices first."""
    roles: dict[str, list[TensorInfo]] = {}
    for tensor in tensors:
        roles.setdefault(_role(tensor), []).append(tensor)
    chosen: list[TensorInfo] = []
    for many in sorted(roles.values(), key=len, reverse=True):
        step = max(1, (len(many) - 1) // (MOST_OF_A_ROLE - 1)) if len(many) > 1 else 1
        chosen += many[::step][:MOST_OF_A_ROLE]
    return chosen[:MOST_MATRICES]


def _role(tensor: TensorInfo) -> str:
    return _NUMBER.sub("", tensor.name)


def _are(source: Source, vectors: Sequence[TensorInfo], numbers: tuple[float, ...]) -> list[bool]:
    """Of each vector: does it hold one of these numbers and no other?"""
    step = max(1, len(vectors) // MOST_VECTORS)
    found = []
    for vector in vectors[::step][:MOST_VECTORS]:
        values = set(_floats(source, vector, 0, min(vector.num_elements, LONG)))
        found.append(len(values) == 1 and values <= set(numbers))
    return found


def _sample(source: Source, tensor: TensorInfo) -> Sample | None:
    """None where a number is none, or the file ends too early."""
    length = tensor.num_elements
    starts = [(length - LONG) * number // (STRETCHES - 1) for number in range(STRETCHES)]
    stretches = [_floats(source, tensor, start, LONG) for start in starts]
    values = [value for stretch in stretches for value in stretch]
    if len(values) < STRETCHES * LONG or not all(map(math.isfinite, values)):
        return None
    mean, std = _moments(values)
    if std == 0:
        return Sample(role=_role(tensor), std=0, kurtosis=0, unrest=0, extreme=0)
    fourth = sum(((value - mean) / std) ** 4 for value in values) / len(values)
    widths = [_moments(stretch)[1] for stretch in stretches]
    middle = sum(widths) / STRETCHES
    unrest = _moments(widths)[1] / middle if middle else 0.0
    return Sample(
        role=_role(tensor),
        std=std,
        kurtosis=fourth - 3,
        # What chance does to the width of one stretch: sqrt((kurtosis + 2) / 4n), https://doi.org/10.1214/aoms/1177728725
        unrest=unrest / math.sqrt(max(fourth - 1, 0.1) / (4 * LONG)),
        extreme=max(abs(value - mean) for value in values) / std,
    )


def _moments(values: Sequence[float]) -> tuple[float, float]:
    mean = math.fsum(values) / len(values)
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


def _floats(source: Source, tensor: TensorInfo, start: int, number: int) -> Sequence[float]:
    width = _BYTES[tensor.dtype]
    data = bytes(source.read((tensor.offset or 0) + start * width, number * width))
    data = data[: len(data) // width * width]
    if tensor.dtype == "F16":
        return struct.unpack(f"<{len(data) // 2}e", data)
    if tensor.dtype == "BF16":  # the upper half of an F32
        wide = bytearray(len(data) * 2)
        wide[2::4], wide[3::4] = data[0::2], data[1::2]
        data = bytes(wide)
    values = array("f", data)
    if sys.byteorder == "big":
        values.byteswap()
    return values
