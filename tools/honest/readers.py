"""What the reference library makes of a file, told by its suffix and, where two share one, by its content."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
import tarfile
import zipfile
from pathlib import Path


def open_by_reference(path: Path) -> object:
    """Raises whatever the library raises for a file that it cannot read."""
    for suffixes, read in _READERS:
        if path.name.endswith(suffixes):
            return read(path)
    raise ValueError(path.name)


def _pickle(path: Path) -> object:
    with path.open("rb") as file:
        return pickle.load(file)


def _squeezed_pickle(path: Path) -> object:
    opened = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}[path.suffix]
    with opened(path, "rb") as file:
        return pickle.load(file)


def _joblib(path: Path) -> object:
    import joblib

    return joblib.load(path)


def _numpy(path: Path) -> object:
    import numpy as np

    found = np.load(path, allow_pickle=True)
    return {key: found[key] for key in found.files} if path.suffix == ".npz" else found


def _torch(path: Path) -> object:
    import torch

    if path.read_bytes()[:2] == b"PK":
        with zipfile.ZipFile(path) as archive:
            if any(name.endswith("/constants.pkl") for name in archive.namelist()):
                return torch.jit.load(path)
    return torch.load(path, weights_only=False, map_location="cpu")


def _export(path: Path) -> object:
    import torch

    return torch.export.load(path)


def _safetensors(path: Path) -> object:
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return {key: file.get_tensor(key).shape for key in file.keys()}  # noqa: SIM118  # it has no __iter__


def _gguf(path: Path) -> object:
    import gguf

    return [one.name for one in gguf.GGUFReader(path).tensors]


def _onnx(path: Path) -> object:
    import onnx

    onnx.checker.check_model(str(path))
    return onnx.load(path)


def _tar(path: Path) -> object:
    with tarfile.open(path) as archive:
        return archive.getnames()


def _zip(path: Path) -> object:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return archive.namelist()


_READERS = (
    ((".pkl", ".pickle"), _pickle),
    ((".pkl.gz", ".pkl.bz2", ".pkl.xz"), _squeezed_pickle),
    ((".joblib", ".joblib.gz", ".joblib.bz2", ".joblib.xz", ".joblib.lzma", ".joblib.z"), _joblib),
    ((".npy", ".npz"), _numpy),
    ((".pt2",), _export),
    ((".pt", ".pth", ".bin", ".ckpt", ".torchscript"), _torch),
    ((".safetensors",), _safetensors),
    ((".gguf",), _gguf),
    ((".onnx",), _onnx),
    ((".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"), _tar),
    ((".zip", ".mar"), _zip),
)
