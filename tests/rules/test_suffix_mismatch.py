"""The suffix is a claim: where the content is another, it is told, and gravely where a loader would unpickle."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import pytest

from weigh.app.weigh import weigh
from weigh.core.format import Format
from weigh.formats import FORMATS

PICKLE = pickle.dumps({"a": 1})
SAFETENSORS = (2).to_bytes(8, "little") + b"{}"
ELF = b"\x7fELF\x02\x01\x01" + bytes(100)
TEXT = b"nothing here\n"

# name, content, severity, what it makes of the file
CASES = [
    ("a.safetensors", PICKLE, "medium", "suspicious"),
    ("a.gguf", PICKLE, "medium", "suspicious"),
    ("a.onnx", ELF, "medium", "suspicious"),
    ("a.safetensors", TEXT, "medium", "broken"),
    ("a.pt", TEXT, "medium", "broken"),
    ("a.gguf", SAFETENSORS, "low", None),
    ("a.npy", SAFETENSORS, "low", None),
    ("a.png", TEXT, "low", None),
]
HARMLESS = [
    ("a.bin", PICKLE),
    ("model.dat", SAFETENSORS),
    ("model", SAFETENSORS),
    ("a.pkl", PICKLE),
    ("a.pt", PICKLE),
    ("a.ckpt", PICKLE),
    ("a.pkl.gz", gzip.compress(PICKLE, mtime=0)),
    ("a.md", b"a,b\n1,2\n3,4\n"),
    ("a.json", b'{"a": 1}\n{"a": 2}\n'),
    ("a.unheard-of", TEXT),
    (".gitignore", TEXT),
]


@pytest.mark.parametrize(("name", "content", "severity", "verdict"), CASES)
def test_a_suffix_that_does_not_hold_is_told(
    name: str, content: bytes, severity: str, verdict: str | None, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    found = [one for one in weigh(str(tmp_path / name)).findings if one.rule == "suffix-mismatch"]
    assert [(one.severity, one.verdict) for one in found] == [(severity, verdict)]


@pytest.mark.parametrize(("name", "content"), HARMLESS)
def test_a_suffix_that_may_hold_it_is_not(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert [one for one in weigh(str(tmp_path / name)).findings if one.rule == "suffix-mismatch"] == []


def test_a_member_of_an_archive_is_held_to_its_own_suffix(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x/model.safetensors", PICKLE)
    found = [one for one in weigh(str(tmp_path / "a.zip")).findings if one.rule == "suffix-mismatch"]
    assert [one.path for one in found] == [f"{tmp_path}/a.zip!/x/model.safetensors"]


def test_every_format_of_the_table_is_one_of_ours() -> None:
    from weigh.formats import folder_formats
    from weigh.knowledge.suffix_claims import suffix_claims

    ours = {format.name for format in FORMATS} | {format.name for format in folder_formats()} | {"*"}
    assert {name for formats in suffix_claims().values() for name in formats} - ours == set()


@pytest.mark.parametrize("format", FORMATS, ids=lambda format: format.name)
def test_a_format_may_stand_under_its_own_suffixes(format: Format) -> None:
    from weigh.knowledge.suffix_claims import suffix_claims

    claims = suffix_claims()
    refused = [one for one in format.suffixes if one in claims and not {"*", format.name} & claims[one]]
    assert refused == []
