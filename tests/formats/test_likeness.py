"""Models of formats that are not opened here are told by the shape of their first bytes or by an archive's members."""

from __future__ import annotations

import io
import random
import struct
import tarfile
import zipfile

import pytest

from weigh.codecs.likeness import likeness_of
from weigh.formats import detect
from weigh.knowledge.likenesses import likenesses
from weigh.sources.memory import MemorySource
from weigh.text import LANGUAGES, has_words

CHANCE = random.Random(11)
WEIGHTS = struct.pack("<4096f", *(CHANCE.gauss(0, 0.1) for _ in range(4096)))


def numbers(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


SHAPES = {
    "barracuda": struct.pack("<qII", 20, 1, 5) + b"input" + numbers(8, *[1] * 8) + WEIGHTS,
    "caffe2": b"\x0a\x03net\x12\x1a\x0a\x04data\x0a\x01w\x12\x05conv1\x1a\0\x22\x04Conv\x2a\0",
    "caffe2 weights": b"\x12\xa8\x11\x12\x01w\x1a\0\x22\x0fGivenTensorFill\x2a\x80\x10" + WEIGHTS[:2200],
    "cntk-2": b"\x08\x01\x12\x11\x0a\x07version\x12\x06\x08\x01\x10\x03\x28\x02" + WEIGHTS[:64],
    "ctranslate2": numbers(6) + struct.pack("<H", 16) + b"TransformerSpec\0" + numbers(7, 40) + WEIGHTS,
    "ctranslate2 1": numbers(1, 40) + struct.pack("<H", 7) + b"w_embs\0" + WEIGHTS,
    "darknet": numbers(0, 2, 5, 32_013_312, 0) + WEIGHTS,
    "kmodel-3": numbers(3, 1, 0, 11, 0x7F74, 0x3720, 1, 0x36D0, 40) + WEIGHTS,
    "tengine": numbers(2, 0x40000000, 12 + len(WEIGHTS)) + WEIGHTS + numbers(1, 1, 0, 0),
    "torch7-table": numbers(3, 1, 2, 2, 5) + b"model" + numbers(4, 2, 3) + b"V 1" + WEIGHTS,
    "torchsharp": b"\x02\x0elayer.0.weight\x06\x02\x20\x10" + WEIGHTS,
}


@pytest.mark.parametrize("name", list(SHAPES))
def test_a_shape_is_told_and_nothing_more_is_claimed(name: str) -> None:
    source = MemorySource(SHAPES[name], path="model.dat")
    header = detect(source).read(source)
    assert (header.format, header.metadata["looks_like"]) == ("unknown", name.split()[0])


def packed(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"{}")
    return file.getvalue()


def taped(*names: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return file.getvalue()


ARCHIVES = {
    "deeplearning4j": packed("configuration.json", "coefficients.bin", "updaterState.bin"),
    "ml-net": packed("TrainingInfo\\Version.txt", "Predictor\\Model.key"),
    "nemo": taped("./model_config.yaml", "./model_weights.ckpt"),
    "snpe-dlc": packed("dlc.metadata", "model", "model.params"),
    "stable-baselines3": packed("data", "policy.pth", "_stable_baselines3_version"),
    "torchserve": packed("model.py", "MAR-INF/MANIFEST.json"),
    "torchserve in a folder": packed("net/model.py", "net/MAR-INF/MANIFEST.json"),
}


@pytest.mark.parametrize("name", list(ARCHIVES))
def test_an_archive_says_whose_it_is(name: str) -> None:
    source = MemorySource(ARCHIVES[name], path="model.dat")
    header = detect(source).read(source)
    assert (header.format in ("zip", "tar"), header.metadata["looks_like"]) == (True, name.split()[0])


def test_an_archive_of_nobodys_looks_like_nothing() -> None:
    source = MemorySource(packed("configuration.json", "notes.txt"), path="model.dat")
    assert "looks_like" not in detect(source).read(source).metadata


@pytest.mark.parametrize("name", list(SHAPES))
def test_a_shape_cut_short_anywhere_is_no_error(name: str) -> None:
    for length in range(64):
        likeness_of(MemorySource(SHAPES[name][:length], path="x"))


def test_chance_looks_like_nothing() -> None:
    for _ in range(3000):
        start = bytes([CHANCE.randrange(8), 0, 0, 0]) * CHANCE.randrange(3)
        assert likeness_of(MemorySource(start + CHANCE.randbytes(300), path="x")) is None


def test_every_row_is_told_here() -> None:
    told = {name.split()[0] for name in (*SHAPES, *ARCHIVES)}
    assert told == set(likenesses())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_likeness_has_words(language: str) -> None:
    assert [id for id in likenesses() if not has_words(f"magic.{id}", language)] == []  # type: ignore[arg-type]
