"""Tiny models that run, made once a run of the tests and kept for all its processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made(tmp_path_factory: pytest.TempPathFactory, name: str, write: Callable[[Path], None]) -> Path:
    """The folder that `write` fills, once for all workers."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    folder = root / "tiny" / name
    with FileLock(f"{root}/tiny-{name}.lock"):
        if not (folder / ".made").exists():
            folder.mkdir(parents=True)
            write(folder)
            (folder / ".made").touch()
    return folder
