"""ncnn: networks as text and as numbers, and files made to harm."""

from __future__ import annotations

import json
import math
import random
import struct
from pathlib import Path

import pytest

from weigh.core.errors import FormatError
from weigh.formats import detect, ncnn
from weigh.sources.memory import MemorySource

ROOT = Path(__file__).parents[1] / "samples" / "ncnn"


@pytest.mark.parametrize(
    ("name", "dialect"), [("small.param", "ncnn"), ("small.pnnx.param", "pnnx"), ("small.param.bin", "binary")]
)
def test_each_dialect_tells_its_blobs(name: str, dialect: str) -> None:
    said = json.loads((ROOT / f"{name}.json").read_text("utf-8"))
    header = ncnn.read(MemorySource((ROOT / name).read_bytes(), path="model.dat"))
    assert (header.metadata["dialect"], header.metadata["blobs"]) == (dialect, said["blobs"])


def test_types_by_their_index_are_counted() -> None:
    header = ncnn.read(MemorySource((ROOT / "small.param.bin").read_bytes(), path="x"))
    assert header.metadata["types_by_index"] == {"16": 1, "6": 1}


@pytest.mark.parametrize(
    "text", ["7767517", "7767517\nwords and words\n", "7767518\n1 1\n", "17767517\n1 1\n", "1 2\n3 4\n"]
)
def test_other_text_is_not_claimed(text: str) -> None:
    assert detect(MemorySource(text.encode(), path="x.param")).name != "ncnn"


def weights(*, seed: int = 7, flags: bool = True) -> bytes:
    """A small convolution's weights and biases, another's behind them, as ncnn keeps them in 32 bits."""
    chance = random.Random(seed)
    layers = ([chance.gauss(0, 0.3) for _ in range(count)] for count in (436, 292))
    return b"".join(bytes(4 if flags else 0) + struct.pack(f"<{len(layer)}f", *layer) for layer in layers)


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (weights(), "F32"),
        (b"\x47\x6b\x30\x01" + weights()[4:], "F16"),
        (b"\x38\x4b\x0d\x00" + weights()[4:], "I8"),
        (b"\x56\xc0\x02\x00" + weights()[4:], "F32"),
    ],
    ids=["marked by zeros", "halves", "bytes", "raw"],
)
def test_weights_are_known_by_their_marks(data: bytes, dtype: str) -> None:
    source = MemorySource(data, path="model.dat")
    header = detect(source).read(source)
    assert (header.format, header.metadata) == ("ncnn", {"dialect": "weights", "dtype": dtype})


OTHER_NUMBERS = {
    "weights-without-marks": weights(flags=False),
    "one-zero-and-weights": bytes(4) + weights(flags=False),
    "a-tone": struct.pack("<2000f", *(math.sin(step / 20) for step in range(2000))),
    "what-is-never-negative": bytes(4) + struct.pack("<400f", *(abs(math.sin(step)) for step in range(400))),
    "mostly-zeros": bytes(4) + weights()[4:] + bytes(4000),
    "darknets-four-numbers": struct.pack("<4i", 0, 2, 5, 32013312) + weights(),
    "too-few": weights()[:400],
    "nothing-behind-the-mark": b"\x47\x6b\x30\x01",
}


@pytest.mark.parametrize("name", list(OTHER_NUMBERS))
def test_other_numbers_are_not_claimed(name: str) -> None:
    assert detect(MemorySource(OTHER_NUMBERS[name], path="model.bin")).name != "ncnn"


def numbers(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


HOSTILE = {
    "a-layer-too-few": b"7767517\n2 2\nInput data 0 1 data\n",
    "a-line-too-short": b"7767517\n1 1\nInput data\n",
    "layers-without-number": b"7767517\n999999999 1\n",
    "blobs-without-end": numbers(7767517, 1, 1, 16, 0x7FFFFFFF, 0x7FFFFFFF, 0, 0),
    "parameters-without-end": numbers(7767517, 1, 1, 16, 0, 1, 0, 0, 8, 1, 8),
    "an-array-without-end": numbers(7767517, 1, 1, 16, 0, 1, 0, -23300, 0x7FFFFFFF, 0, 0, 0),
    "nothing-behind-the-counts": numbers(7767517, 5, 5),
}


@pytest.mark.parametrize("name", list(HOSTILE))
def test_files_made_to_harm_are_refused(name: str) -> None:
    source = MemorySource(HOSTILE[name], path="model.dat")
    assert detect(source).name == "ncnn"
    with pytest.raises(FormatError):
        ncnn.read(source)
