"""GGML files before GGUF: each family's numbers, words and tensors, by content alone."""

from __future__ import annotations

import json
import random
import shutil
import struct
from pathlib import Path

import pytest

from weigh.core.errors import FormatError
from weigh.core.header import Header
from weigh.formats import detect
from weigh.sources.file import FileSource
from weigh.sources.memory import MemorySource

FILES = sorted((Path(__file__).parents[1] / "samples" / "ggml").glob("*.bin"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_sample_is_read_as_it_was_written(tmp_path: Path, path: Path) -> None:
    oracle = json.loads(path.with_name(f"{path.name}.json").read_text("utf-8"))
    with FileSource(Path(shutil.copy(path, tmp_path / "model.dat"))) as source:
        header = detect(source).read(source)
    found = sorted([tensor.name, tensor.dtype, list(tensor.shape)] for tensor in header.tensors)
    assert (header.format, header.metadata["family"], found) == ("ggml", oracle["family"], oracle["tensors"])
    assert header.problems == ()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_truncation_and_many_mutations_are_answered(path: Path) -> None:
    data = path.read_bytes()
    chance = random.Random(7)
    for length in range(len(data)):
        answered(data[:length])
    for _ in range(200):
        changed = bytearray(data)
        at = chance.randrange(min(len(changed), 400))
        changed[at : at + 4] = chance.choice([b"\xff\xff\xff\x7f", bytes(4), chance.randbytes(4)])
        answered(bytes(changed))


def answered(data: bytes) -> Header | FormatError:
    source = MemorySource(data, path="file")
    format = detect(source)
    try:
        header = format.read(source)
        list(format.examine(source, header))
        return header
    except FormatError as error:
        return error


def test_a_family_nobody_knows_is_ggml_all_the_same() -> None:
    header = answered(b"lmgg" + struct.pack("<4i", 7, 1 << 30, 3, 4) + bytes(100))
    assert isinstance(header, Header)
    assert (header.format, header.tensors, header.problems) == ("ggml", (), ())


def test_a_file_cut_inside_a_tensor_says_so() -> None:
    data = next(path for path in FILES if path.name == "llama-ggjt-3.bin").read_bytes()
    header = answered(data[:-10])
    assert isinstance(header, Header)
    assert [problem.kind for problem in header.problems] == ["truncated"]


def test_a_tensor_of_sixty_four_dimensions_is_refused() -> None:
    data = next(path for path in FILES if path.name == "whisper-vocabulary.bin").read_bytes()
    assert isinstance(answered(data + struct.pack("<3i", 64, 4, 0) + b"\1\0\0\0" * 64 + b"name"), FormatError)


def test_a_file_cut_inside_its_vocabulary_says_so() -> None:
    data = next(path for path in FILES if path.name == "llama-ggjt-3.bin").read_bytes()
    assert isinstance(answered(data[:60]), FormatError)
