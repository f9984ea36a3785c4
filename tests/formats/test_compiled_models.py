"""Models compiled for one machine: recognised, with what little they say."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from weigh.core.errors import Truncated
from weigh.core.header import Header
from weigh.formats import detect, rknn
from weigh.sources.memory import MemorySource

ROOT = Path(__file__).parents[1] / "samples"


def read(name: str) -> Header:
    source = MemorySource((ROOT / name).read_bytes(), path="model.dat")
    return detect(source).read(source)


def test_an_engine_behind_ultralytics_table_is_found() -> None:
    header = read("tensorrt/yolo.engine")
    assert (header.version, header.metadata["task"]) == ("232", "detect")


@pytest.mark.parametrize(("name", "version"), [("six", "6"), ("one", "1")])
def test_a_chip_is_named_at_the_end(name: str, version: str) -> None:
    header = read(f"rknn/{name}.rknn")
    assert (header.version, header.metadata["target_platform"], header.metadata["nodes"]) == (version, ("rk3588",), 2)


def test_an_encrypted_model_is_said_to_be_encrypted() -> None:
    assert read("rknn/closed.rknn").metadata == {"encrypted": True}


def test_data_beyond_the_end_is_refused() -> None:
    data = b"RKNN" + bytes(4) + struct.pack("<QQ", 6, 1 << 60) + bytes(90)
    with pytest.raises(Truncated):
        rknn.read(MemorySource(data, path="x"))


@pytest.mark.parametrize(
    "data",
    [b"RKNN is a format of text", b"RKNN" + bytes(30), b"ftr", struct.pack("<I", 20) + b"{}" + bytes(18) + b"ftrt"],
)
def test_other_bytes_are_not_claimed(data: bytes) -> None:
    assert detect(MemorySource(data, path="x")).name in ("text", "unknown")
