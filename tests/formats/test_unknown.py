"""What is not opened is told by its first bytes, by how its bytes are spread, by a company's own table."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from weigh.app.examine import examine
from weigh.app.weigh import weigh
from weigh.core.errors import TableError
from weigh.formats import detect
from weigh.formats.unknown import private
from weigh.knowledge.magics import magics
from weigh.knowledge.signatures import parse_signatures
from weigh.sources.memory import MemorySource
from weigh.text import LANGUAGES, complain, has_words

CHANCE = random.Random(9)
NOISE = CHANCE.randbytes(70_000)
OWN = b"""
[[signature]]
id = "acme-npu"
magic = "41 43 4D 45 01"
offset = 4
says = { en = "a model for Acme's NPU", zh = "Acme NPU \xe6\xa8\xa1\xe5\x9e\x8b" }
tool = "acme-unpack"
"""


def read(data: bytes) -> dict[str, object]:
    source = MemorySource(data, path="model.dat")
    return dict(detect(source).read(source).metadata)


def placed(places: tuple[tuple[int, bytes], ...]) -> bytes:
    """A file in which each magic stands where its row says, and noise behind."""
    data = bytearray(40_000)
    for offset, magic in places:
        start = offset if offset >= 0 else len(data) + offset
        data[start : start + len(magic)] = magic
    return bytes(data)


@pytest.mark.parametrize("row", [row for row, _ in magics()], ids=lambda row: row.id)
def test_a_known_file_is_told_by_its_magic(row: object) -> None:
    from weigh.knowledge.magics import Magic

    assert isinstance(row, Magic)
    places = next(places for one, places in magics() if one.id == row.id)
    source = MemorySource(placed(places), path="model.dat")
    format = detect(source)
    found = format.read(source).metadata
    closed = row.kind in ("archive", "encrypted", "model")
    assert (format.name, found["looks_like"]) == ("unknown" if closed else "other", row.id)
    assert not closed or row.tool


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_magic_has_words(language: str) -> None:
    assert [row.id for row, _ in magics() if not has_words(f"magic.{row.id}", language)] == []  # type: ignore[arg-type]


def test_a_known_file_that_is_no_model_is_clean_and_one_devices_model_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "song.dat").write_bytes(b"fLaC\0\0\0\x22" + NOISE)
    (tmp_path / "net.dat").write_bytes(b"\x01HEF" + NOISE)
    assert weigh(str(tmp_path / "song.dat")).verdict == "clean"
    report = weigh(str(tmp_path / "net.dat"))
    assert (report.format, report.verdict) == ("unknown", "incomplete")
    assert [(skip.reason, skip.detail and skip.detail.key) for skip in report.skips] == [
        ("not-recognised", "skip.closed.model")
    ]


@pytest.mark.parametrize(
    ("data", "spread"),
    [
        (b"\x07\x91" + NOISE, "even"),
        (struct.pack("<20000f", *(CHANCE.gauss(0, 0.02) for _ in range(20_000))), "floats"),
        (b"\0\1" + bytes(50_000), "sparse"),
        (bytes(CHANCE.choice(NOISE[:500]) for _ in range(50_000)), "high"),
        (b"\xff\xfe" + b"".join(struct.pack("<HH", number % 700, number % 91) for number in range(20_000)), "mixed"),
        (b"\x07\x91\x03" + NOISE[:300], "short"),
    ],
)
def test_how_bytes_are_spread_is_told(data: bytes, spread: str) -> None:
    assert read(data)["spread"] == spread


def test_devices_named_in_an_unknown_file_are_told() -> None:
    assert read(b"\x07\x91\x03\0 compiled for Ascend310, hobot \0" + NOISE)["devices"] == ("ascend", "hobot")


def test_a_link_checked_out_as_text_is_told() -> None:
    assert read(b"../../blobs/3f2a") == {"target": "../../blobs/3f2a"}


def test_a_companys_own_format_is_told_in_its_own_words() -> None:
    own = tuple(map(private, parse_signatures(OWN, path="signatures.toml")))
    seen = examine(MemorySource(b"\0\0\0\0ACME\x01" + NOISE, path="model.dat"), own)
    assert seen.format == "unknown" and seen.header is not None
    assert seen.header.metadata["private"] == {
        "id": "acme-npu",
        "en": "a model for Acme's NPU",
        "zh": "Acme NPU 模型",
        "tool": "acme-unpack",
    }
    assert examine(MemorySource(b"\x07\x91ACME\x01" + NOISE, path="model.dat"), own).header != seen.header


def test_a_companys_own_format_takes_nothing_from_ours() -> None:
    own = tuple(
        map(private, parse_signatures(OWN.replace(b"41 43 4D 45 01", b"22 61 22 3a").replace(b"4\n", b"1\n"), path="s"))
    )
    assert examine(MemorySource(b'{"a": 1}', path="model.dat"), own).format == "json"


@pytest.mark.parametrize(
    ("changed", "row"),
    [
        (OWN.replace(b'"41 43', b'"zz 43'), 1),
        (OWN.replace(b"41 43 4D 45 01", b"41 43"), 1),
        (OWN.replace(b"offset = 4", b"offset = -4"), 1),
        (OWN.replace(b"offset = 4", b'offset = "4"'), 1),
        (OWN.replace(b"tool", b"tools"), 1),
        (OWN.replace(b"says", b"say"), 1),
        (OWN + OWN, 2),
    ],
)
def test_a_row_that_does_not_hold_is_named(changed: bytes, row: int) -> None:
    with pytest.raises(TableError) as caught:
        parse_signatures(changed, path="signatures.toml")
    assert caught.value.saying.values["row"] == row
    assert f"signatures.toml: signature {row} (acme-npu)" in complain(caught.value, "en")


@pytest.mark.parametrize("data", [b"\xff\xfe", b"[[", b"a = 1", b"signature = 3", b""])
def test_a_table_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(TableError):
        parse_signatures(data, path="signatures.toml")
