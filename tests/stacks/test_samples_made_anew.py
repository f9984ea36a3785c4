"""Samples made anew by the reference libraries that are here: our header says of each what its library says."""

from __future__ import annotations

import importlib
import json
import pkgutil
from pathlib import Path

import pytest

from tools import samples
from weigh.formats import detect
from weigh.sources.file import FileSource

# What is no maker of its own, and MNN's: its converter installs packages into the environment that it runs in.
LEFT_OUT = frozenset(("mnn", "onnx_tensor", "oracles", "wire"))
MAKERS = [one.name for one in pkgutil.iter_modules(samples.__path__) if one.name not in LEFT_OUT]


def made(maker: str, folder: Path) -> list[Path]:
    """What the maker wrote that has an oracle beside it; skipped by name where its library is not here."""
    try:
        importlib.import_module(f"tools.samples.{maker}").write(folder)
    except ImportError as error:
        pytest.skip(f"{maker} needs {error.name}")
    return [path for path in sorted(folder.rglob("*")) if path.with_name(f"{path.name}.json").is_file()]


@pytest.mark.filterwarnings("ignore")  # of the libraries, about themselves
@pytest.mark.parametrize("maker", MAKERS)
def test_our_header_is_what_the_library_says(maker: str, tmp_path: Path) -> None:
    files = made(maker, tmp_path)
    assert files
    for path in files:
        oracle = json.loads(path.with_name(f"{path.name}.json").read_text("utf-8"))
        with FileSource(path) as source:
            header = detect(source).read(source)
        assert header.format == oracle["format"], path.name
        if "tensors" in oracle:
            found = sorted([one.name, one.dtype, list(one.shape)] for one in header.tensors)
            assert found == sorted(oracle["tensors"]), path.name
