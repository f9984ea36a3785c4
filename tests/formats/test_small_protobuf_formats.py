"""SentencePiece and PaddlePaddle beyond their tensors."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from weigh.core.errors import FormatError
from weigh.core.header import LongArray
from weigh.formats import detect, paddle, sentencepiece
from weigh.sources.memory import MemorySource

ROOT = Path(__file__).parents[1] / "samples"


@pytest.mark.parametrize("kind", ["unigram", "bpe", "char"])
def test_a_tokenizer_tells_its_kind_its_count_and_its_first_pieces(kind: str) -> None:
    path = ROOT / "sentencepiece" / f"{kind}.model"
    said = json.loads(path.with_name(f"{path.name}.json").read_text("utf-8"))
    header = sentencepiece.read(MemorySource(path.read_bytes(), path="model.dat"))
    pieces = header.metadata["pieces"]
    assert isinstance(pieces, LongArray)
    assert (pieces.count, list(pieces.first), header.metadata["model_type"]) == (said["pieces"], said["first"], kind)
    assert not detect(MemorySource(path.read_bytes(), path="model.dat")).is_model


def test_a_program_tells_its_operators_inputs_and_outputs() -> None:
    path = ROOT / "paddle" / "inference.pdmodel"
    said = json.loads(path.with_name(f"{path.name}.json").read_text("utf-8"))
    source = MemorySource(path.read_bytes(), path="model.dat")
    header = paddle.read(source)
    assert sorted(header.metadata["operators"]) == said["operators"]  # type: ignore[arg-type]
    assert [list(header.metadata[key]) for key in ("inputs", "outputs")] == [said["inputs"], said["outputs"]]  # type: ignore[arg-type]
    assert sorted(one.value for one in paddle.examine(source, header)) == said["operators"]


def parameter(
    *, version: int = 0, levels: int = 0, size: int | None = None, content: bytes = b"\x08\x05\x10\x02"
) -> bytes:
    length = len(content) if size is None else size
    return struct.pack("<IQII", version, levels, 0, length) + content + bytes(8)


@pytest.mark.parametrize(
    "data",
    [
        parameter(version=1),
        parameter(levels=1 << 60),
        parameter(size=1 << 31),
        parameter(content=b"\x08\x05\x10\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
        parameter(content=b"\x08\x63\x10\x02"),
        bytes(200),
    ],
)
def test_what_are_no_parameters_is_not_claimed(data: bytes) -> None:
    assert detect(MemorySource(data, path="x.pdiparams")).name == "unknown"


def test_parameters_that_are_cut_are_refused() -> None:
    for data in (parameter() + parameter()[:30], parameter()[:-1]):
        source = MemorySource(data, path="x")
        assert detect(source).name == "paddle"
        with pytest.raises(FormatError):
            paddle.read(source)
