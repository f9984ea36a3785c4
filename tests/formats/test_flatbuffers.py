"""Models in flatbuffers are read as their own libraries read them, whatever the file is called, and never break us."""

from __future__ import annotations

import json
import random
import shutil
import struct
from pathlib import Path

import pytest

from weigh.core.errors import FormatError
from weigh.core.header import Header
from weigh.core.source import Source
from weigh.formats import detect
from weigh.sources.file import FileSource
from weigh.sources.memory import MemorySource

SAMPLES = Path(__file__).parents[1] / "samples"
FILES = sorted(
    path
    for folder in ("tflite", "executorch", "ort", "mnn")
    for path in (SAMPLES / folder).iterdir()
    if path.suffix != ".json"
)


def whole(source: Source) -> tuple[Header, set[str]]:
    format = detect(source)
    header = format.read(source)
    return header, {seen.value for seen in format.examine(source, header) if seen.kind == "operator"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
@pytest.mark.parametrize("renamed", [False, True], ids=["as named", "model.dat"])
def test_a_sample_is_read_as_its_library_reads_it(tmp_path: Path, path: Path, renamed: bool) -> None:
    oracle = json.loads(path.with_name(f"{path.name}.json").read_text("utf-8"))
    file = Path(shutil.copy(path, tmp_path / ("model.dat" if renamed else path.name)))
    with FileSource(file) as source:
        header, operators = whole(source)
    found = sorted([tensor.name, tensor.dtype, list(tensor.shape)] for tensor in header.tensors)
    assert (header.format, found) == (oracle["format"], oracle["tensors"])
    assert header.problems == ()
    assert operators >= set(oracle["operators"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_truncation_and_many_mutations_are_answered(path: Path) -> None:
    data = path.read_bytes()
    chance = random.Random(5)
    for length in range(0, len(data), 1 if len(data) < 3000 else 7):
        answered(data[:length])
    for _ in range(300):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 5)):
            at = chance.randrange(len(changed))
            if chance.random() < 0.5:
                changed[at] = chance.randrange(256)
            else:
                changed[at : at + 4] = chance.choice([b"\xff" * 4, b"\0" * 4, b"\x04\0\0\0"])
        answered(bytes(changed))


def answered(data: bytes) -> Header | FormatError:
    source = MemorySource(data, path="file")
    try:
        return whole(source)[0]
    except FormatError as error:
        return error


def flat(identifier: bytes, *fields: int | None, rest: bytes = b"") -> bytes:
    """A root table whose fields hold these offsets, counted from where each stands."""
    vtable = struct.pack("<HH", 4 + 2 * len(fields), 4 + 4 * len(fields))
    vtable += b"".join(
        struct.pack("<H", 4 + 4 * number if field is not None else 0) for number, field in enumerate(fields)
    )
    vtable += bytes(-len(vtable) % 4)
    table = struct.pack("<i", len(vtable)) + b"".join(struct.pack("<I", field or 0) for field in fields)
    return struct.pack("<I", 8 + len(vtable)) + identifier + vtable + table + rest


MANY = struct.pack("<I", 1 << 30)
SEGMENT = struct.pack("<HHHHiQ", 8, 16, 0, 4, 8, 1 << 20)  # a size and no offset
TABLE = struct.pack("<HHi", 4, 4, 4)  # without fields
HOSTILE = {
    "vector-of-a-gigabyte": flat(b"TFL3", None, None, None, None, 4, rest=MANY),
    "root-beyond-the-end": struct.pack("<I", 1 << 31) + b"TFL3" + bytes(40),
    "vtable-before-the-file": struct.pack("<I", 8) + b"TFL3" + struct.pack("<i", 1 << 30),
    "offset-of-zero": flat(b"TFL3", None, 0),
    "one-table-a-million-times": flat(
        b"TFL3", None, None, None, None, 4,
        rest=struct.pack("<I", 1_000_000) + b"".join(struct.pack("<I", 4 * (1_000_000 - at) + 4) for at in range(1_000_000)) + TABLE,
    ),
    "segments-without-their-header": flat(b"ET12", None, None, None, None, 4, rest=struct.pack("<II", 1, 12) + SEGMENT),
    "model-missing": flat(b"ORTM", None, None),
}  # fmt: skip


@pytest.mark.parametrize("name", list(HOSTILE))
def test_a_file_made_to_harm_is_refused(name: str) -> None:
    assert (
        isinstance(answered(HOSTILE[name]), FormatError)
        or detect(MemorySource(HOSTILE[name], path="x")).name == "unknown"
    )


def test_files_behind_a_model_are_seen() -> None:
    with FileSource(SAMPLES / "tflite" / "files-behind.tflite") as source:
        format = detect(source)
        seen = [(one.kind, one.where) for one in format.examine(source, format.read(source))]
    assert ("embedded", "labels.txt") in seen


def test_a_model_that_hands_its_operators_to_tensorflow_is_seen() -> None:
    with FileSource(SAMPLES / "tflite" / "flex.tflite") as source:
        assert "custom:FlexMatrixDeterminant" in whole(source)[1]
