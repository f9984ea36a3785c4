"""Bytes read as a nameless file, and what a reference library said of a sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from weigh.core.errors import FormatError
from weigh.core.header import Header
from weigh.core.observation import Observation
from weigh.formats import detect
from weigh.sources.memory import MemorySource


def oracle(path: Path) -> dict[str, Any]:
    """What stands beside the sample, written by the library that made it."""
    said: dict[str, Any] = json.loads(path.with_name(f"{path.name}.json").read_text("utf-8"))
    return said


def answer(data: bytes) -> Header | FormatError:
    """Detected, read, examined: a Header or a FormatError, and nothing else."""
    source = MemorySource(data, path="model.dat")
    format = detect(source)
    try:
        header = format.read(source)
        for _ in format.examine(source, header):
            pass
    except FormatError as error:
        return error
    return header


def header_of(data: bytes) -> Header:
    """Detected and read."""
    source = MemorySource(data, path="model.dat")
    return detect(source).read(source)


def seen_in(data: bytes) -> list[Observation]:
    """What its examination comes upon."""
    source = MemorySource(data, path="model.dat")
    format = detect(source)
    return list(format.examine(source, format.read(source)))
