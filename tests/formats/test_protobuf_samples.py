"""Samples of protobuf's family and its neighbours: read as their own libraries read them, whatever they are called."""

from __future__ import annotations

import random
import shutil
import zlib
from pathlib import Path

import pytest

from tests.formats.reading import answer, oracle
from weigh.formats import FORMATS, detect
from weigh.sources.file import FileSource
from weigh.sources.memory import MemorySource

ROOT = Path(__file__).parents[1] / "samples"
FAMILY = [
    "onnx",
    "onnx-tensor",
    "tf-savedmodel",
    "tf-graphdef",
    "tf-metagraph",
    "tf-checkpoint",
    "caffe",
    "coreml",
    "sentencepiece",
    "paddle",
    "mxnet",
    "ncnn",
    "openvino",
    "tensorrt",
    "rknn",
    "tfjs",
]
SAMPLES = [
    path for name in FAMILY for path in sorted((ROOT / name).glob("*")) if path.with_name(f"{path.name}.json").exists()
]
IDS = [f"{path.parent.name}-{path.name}" for path in SAMPLES]
MOST_CUTS, MUTATIONS = 1500, 100


@pytest.mark.parametrize("name", FAMILY)
def test_every_format_has_a_sample(name: str) -> None:
    assert any(path.parent.name == name for path in SAMPLES)


@pytest.mark.parametrize("path", SAMPLES, ids=IDS)
def test_a_sample_is_read_as_its_library_reads_it_whatever_it_is_called(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path / "model.dat")
    for file in (path, tmp_path / "model.dat"):
        with FileSource(file) as source:
            header = detect(source).read(source)
        said = oracle(path)
        assert header.format == said["format"]
        assert sorted([one.name, one.dtype, list(one.shape)] for one in header.tensors) == said["tensors"]
        assert header.problems == ()
        operators = header.metadata.get("operators", {})
        assert sorted(operators) == said.get("operators", sorted(operators))  # type: ignore[arg-type]


@pytest.mark.parametrize("path", SAMPLES, ids=IDS)
def test_no_other_format_claims_a_sample(path: Path) -> None:
    """Which of two is asked first must not matter: what is open to everything, other programs and text, aside."""
    source = MemorySource(path.read_bytes(), path="model.dat")
    open_to_all = {"unknown", "other", "text", "csv", "json", "jsonl", "html"}
    claims = {format.name for format in FORMATS if format.name not in open_to_all and format.matches(source)}
    assert claims == {path.parent.name}


@pytest.mark.parametrize("path", SAMPLES, ids=IDS)
def test_every_truncation_of_a_sample_is_answered(path: Path) -> None:
    data = path.read_bytes()
    dense = min(len(data), MOST_CUTS)
    for length in [*range(dense), *range(dense, len(data), max(1, len(data) // 200))]:
        answer(data[:length])


@pytest.mark.parametrize("path", SAMPLES, ids=IDS)
def test_mutations_of_a_sample_are_answered(path: Path) -> None:
    data = path.read_bytes()[:20_000]
    chance = random.Random(zlib.crc32(path.name.encode()))
    for _ in range(MUTATIONS):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(changed))
            match chance.randrange(4):
                case 0:
                    changed[at] = chance.randrange(256)
                case 1:
                    changed[at : at + 8] = b"\xff" * 8
                case 2:
                    changed[at:at] = changed[at : at + chance.randint(1, 40)]
                case _ if len(changed) > 20:
                    del changed[at : at + chance.randint(1, 9)]
        answer(bytes(changed))
