"""What `weigh inspect` shows of a file, and what it spares the reader."""

from __future__ import annotations

import json
import struct
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from weigh.cli.main import weigh

SAMPLES = Path(__file__).parents[1] / "samples"


def screen(path: Path, *options: str) -> str:
    return CliRunner().invoke(weigh, ["inspect", str(path), "--lang", "en", *options]).output


def test_a_model_without_tensors_shows_what_its_header_says() -> None:
    shown = screen(SAMPLES / "xgboost" / "before-json.model")
    assert "booster = gbtree" in shown and "num_features = " in shown


def test_a_model_with_tensors_keeps_its_keys_for_whoever_asks() -> None:
    path = SAMPLES / "pytorch-tar" / "tiny.tar"
    assert "protocol = " not in screen(path)
    assert "protocol = " in screen(path, "--metadata")


def test_the_file_that_was_asked_for_is_not_named_behind_every_figure() -> None:
    path = SAMPLES / "pytorch-tar" / "tiny.tar"
    assert "".join(screen(path).split()).count(path.name) == 1


def test_members_are_called_as_they_are_inside(tmp_path: Path) -> None:
    path = tmp_path / "net.mar"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("MAR-INF/MANIFEST.json", b"{}")
        archive.writestr("service.py", b"import os\n")
    shown = screen(path)
    assert "net.mar!/" not in shown and "MAR-INF/MANIFEST.json  json" in shown
    assert "a TorchServe model archive" in shown


def test_numbers_that_another_file_describes_are_no_riddle(tmp_path: Path) -> None:
    weights = [{"name": "kernel", "shape": [2], "dtype": "float32"}]
    model = {"modelTopology": {"node": []}, "format": "graph-model", "generatedBy": "2.0", "convertedBy": "x"}
    model |= {"weightsManifest": [{"paths": ["group1-shard1of1.bin"], "weights": weights}]}
    (tmp_path / "model.json").write_text(json.dumps(model), "utf-8")
    (tmp_path / "group1-shard1of1.bin").write_bytes(struct.pack("<2f", 0.25, 0.5))
    assert "first bytes" not in screen(tmp_path)
    (tmp_path / "model.json").unlink()
    assert "first bytes" in screen(tmp_path)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_kind_of_an_unopened_model_is_said(tmp_path: Path, language: str) -> None:
    path = tmp_path / "net.dat"
    path.write_bytes(b"\x4e\xef\x01\0" + struct.pack("<4I", 8, 2, 2, 1) + bytes(120))
    assert "NNEF" in screen(path, "--lang", language)
