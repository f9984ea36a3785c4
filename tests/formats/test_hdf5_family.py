"""HDF5 and what lies beside it: samples read as their own libraries read them, whatever they are called or suffer."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.formats.reading import answer, oracle
from weigh.formats import FORMATS, detect
from weigh.sources.file import FileSource

ROOT = Path(__file__).parents[1] / "samples"
FAMILY = [
    "hdf5",
    "keras-h5",
    "keras",
    "npy",
    "npz",
    "joblib",
    "skops",
    "flax-msgpack",
    "xgboost",
    "lightgbm",
    "catboost",
    "tokenizer-json",
    "tiktoken",
]
SAMPLES = [
    path for name in FAMILY for path in sorted((ROOT / name).glob("*")) if path.with_name(f"{path.name}.json").exists()
]
IDS = [f"{path.parent.name}-{path.name}" for path in SAMPLES]
SHORT, MOST_CUTS, MUTATIONS = 1000, 150, 40


def test_every_format_of_the_family_has_samples() -> None:
    assert {path.parent.name for path in SAMPLES} == set(FAMILY) <= {format.name for format in FORMATS}


@pytest.mark.parametrize("renamed", [False, True], ids=["as-named", "as-model.dat"])
@pytest.mark.parametrize("path", SAMPLES, ids=IDS)
def test_a_sample_is_read_as_its_library_reads_it(path: Path, renamed: bool, tmp_path: Path) -> None:
    said = oracle(path)
    file = shutil.copyfile(path, tmp_path / "model.dat") if renamed else path
    with FileSource(file) as source:
        header = detect(source).read(source)
    assert header.format == said["format"]
    assert header.problems == ()
    assert sorted([one.name, one.dtype, list(one.shape)] for one in header.tensors) == said["tensors"]
    if "version" in said:
        assert header.version == said["version"]
    for key, value in said.get("metadata", {}).items():
        found = header.metadata[key]
        assert (list(found) if isinstance(found, tuple) else found) == value, key


@pytest.mark.parametrize("path", SAMPLES, ids=IDS)
def test_a_sample_cut_short_is_answered(path: Path) -> None:
    data = path.read_bytes()
    step = 1 if len(data) <= SHORT else len(data) // MOST_CUTS
    for length in range(0, len(data), step):
        answer(data[:length])


@pytest.mark.parametrize("path", SAMPLES, ids=IDS)
def test_a_sample_changed_anywhere_is_answered(path: Path) -> None:
    data = path.read_bytes()
    chance = random.Random(5)
    for number in range(MUTATIONS):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(changed))
            match (chance.randrange(4), number % 2):
                case (0, _):
                    changed[at] = chance.randrange(256)
                case (1, _):
                    changed[at : at + 8] = b"\xff" * 8
                case (2, _):
                    changed[at : at + 8] = bytes(chance.randrange(256) for _ in range(8))
                case (_, 0):
                    del changed[at : at + chance.randint(1, 9)]
                case _:
                    changed[at : at + 8] = (1 << 60).to_bytes(8, "little")
        answer(bytes(changed))
