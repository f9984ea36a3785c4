"""No format claims another's files: each sample matches one of the formats of models alone."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from weigh.formats import FORMATS
from weigh.sources.file import FileSource
from weigh.sources.memory import MemorySource

SAMPLES = Path(__file__).parents[1] / "samples"
MINE = ("tflite", "executorch", "ort", "mnn", "ggml", "pytorch-tar")
FILES = sorted(path for folder in MINE for path in (SAMPLES / folder).iterdir() if path.suffix != ".json")
ONLY_BY_CONTENT = {"executorch", "ggml", "mnn", "pytorch-export", "pytorch-tar", "tflite"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_sample_is_claimed_once(path: Path) -> None:
    with FileSource(path) as source:
        claims = {format.name for format in FORMATS if format.is_model and format.matches(source)}
    assert len(claims - {"unknown", "pickle"}) == 1


def test_the_common_samples_are_claimed_by_none_of_these(samples: Path) -> None:
    for path in sorted(path for path in samples.rglob("*") if path.is_file()):
        with FileSource(path) as source:
            assert not ONLY_BY_CONTENT & {format.name for format in FORMATS if format.matches(source)}, path.name


@pytest.mark.parametrize(
    "text",
    [
        b"ggml is a tensor library",
        b"lmgg",
        b"TFL3 is at the start",
        b"    TFL3 in a text",
        b"",
        b"\0" * 600,
        b"PK\x03\x04" + b"\0" * 40,
    ],
)
def test_what_only_looks_like_one_of_them_is_not_claimed(text: bytes) -> None:
    claims = {format.name for format in FORMATS if format.matches(MemorySource(text, path="x"))}
    assert claims & ONLY_BY_CONTENT <= ({"ggml"} if text == b"lmgg" else set())


def test_chance_is_claimed_by_none_of_them() -> None:
    chance = random.Random(9)
    for _ in range(2000):
        source = MemorySource(bytes([chance.randrange(0, 256, 4), 0, 0, 0]) + chance.randbytes(300), path="x")
        assert not any(format.matches(source) for format in FORMATS if format.name in ONLY_BY_CONTENT)
