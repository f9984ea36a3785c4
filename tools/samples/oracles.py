"""What a reference library says of a sample, kept beside it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

Tensor = tuple[str, str, list[int]]  # name, dtype as we call it, shape

NUMPY = {
    "bfloat16": "BF16",
    "bool": "BOOL",
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
    "int16": "I16",
    "int32": "I32",
    "int64": "I64",
    "int8": "I8",
    "object": "STRING",
    "uint16": "U16",
    "uint32": "U32",
    "uint64": "U64",
    "uint8": "U8",
}


def note(path: Path, format: str, tensors: Iterable[Tensor] = (), **said: object) -> None:
    """`PATH.json`: the format, the tensors and whatever else the library says, sorted by tensor name."""
    rows = sorted([name, dtype, list(shape)] for name, dtype, shape in tensors)
    oracle = {"format": format, "tensors": rows, **said}
    path.with_name(f"{path.name}.json").write_text(json.dumps(oracle, indent=1, sort_keys=True) + "\n", "utf-8")


def main(write: Callable[[Path], None]) -> None:
    """`python -m tools.samples.FORMAT OUT`."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write(folder)
