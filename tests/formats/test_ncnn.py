"""ncnn: networks as text and as numbers, and files made to harm."""

from __future__ import annotations

import json
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
