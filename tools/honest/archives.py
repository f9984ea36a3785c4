"""Archives of clean files."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from tools.honest import Honest


def _files(folder: Path) -> Path:
    from safetensors.torch import save_file

    inside = folder / "model"
    (inside / "sub").mkdir(parents=True)
    torch.save({"a": torch.ones(3)}, inside / "weights.pt")
    save_file({"a": torch.ones(3)}, inside / "model.safetensors")
    np.save(inside / "sub" / "mean.npy", np.ones(3))
    (inside / "sub" / "stats.pkl").write_bytes(pickle.dumps({"mean": np.float32(1)}))
    (inside / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_size": 4}))
    (inside / "README.md").write_text("# A model\n")
    return inside


def _tar(name: str, mode: str) -> Honest:
    def write(folder: Path) -> Path:
        with tarfile.open(folder / name, mode) as archive:
            archive.add(_files(folder), "model")
        return folder / name

    return Honest(name, write)


def _zip(name: str, method: int) -> Honest:
    def write(folder: Path) -> Path:
        inside = _files(folder)
        with zipfile.ZipFile(folder / name, "w", method) as archive:
            for path in sorted(inside.rglob("*")):
                archive.write(path, path.relative_to(folder))
        return folder / name

    return Honest(name, write)


def _squeezed(suffix: str, squeeze: Callable[[bytes], bytes]) -> Honest:
    def write(folder: Path) -> Path:
        path = folder / f"stats.pkl.{suffix}"
        path.write_bytes(squeeze(pickle.dumps({"mean": np.ones(20), "names": ["a"] * 50})))
        return path

    return Honest(f"stats.pkl.{suffix}", write)


def _nested(folder: Path) -> Path:
    inner = _zip("inner.zip", zipfile.ZIP_DEFLATED).write(folder)
    with tarfile.open(folder / "outer.tar.gz", "w:gz") as archive:
        archive.add(inner, "inner.zip")
    return folder / "outer.tar.gz"


def _nemo(folder: Path) -> Path:
    torch.save({"encoder.weight": torch.ones(3)}, folder / "model_weights.ckpt")
    (folder / "model_config.yaml").write_text(
        "target: nemo.collections.asr.models.EncDecCTCModel\nsample_rate: 16000\n"
    )
    with tarfile.open(folder / "asr.nemo", "w") as archive:
        for name in ("model_weights.ckpt", "model_config.yaml"):
            archive.add(folder / name, f"./{name}")
    return folder / "asr.nemo"


def _read_nemo(path: Path) -> object:
    with tarfile.open(path) as archive:
        file = archive.extractfile("./model_weights.ckpt")
        assert file is not None
        return torch.load(file)


CASES: tuple[Honest, ...] = (
    _tar("model.tar", "w"),
    _tar("model.tar.gz", "w:gz"),
    _tar("model.tgz", "w:gz"),
    _tar("model.tar.bz2", "w:bz2"),
    _tar("model.tar.xz", "w:xz"),
    _zip("stored.zip", zipfile.ZIP_STORED),
    _zip("packed.zip", zipfile.ZIP_DEFLATED),
    _zip("bzip2.zip", zipfile.ZIP_BZIP2),
    _zip("lzma.zip", zipfile.ZIP_LZMA)._replace(
        verdict="incomplete"
    ),  # a method that is not decoded, and is said not to be
    _squeezed("gz", gzip.compress),
    _squeezed("bz2", bz2.compress),
    _squeezed("xz", lzma.compress),
    Honest("outer.tar.gz", _nested),
    Honest("asr.nemo", _nemo, _read_nemo),
)
