"""Files of a repository that hold the same weights as their neighbours, by what they are called."""

from __future__ import annotations

import functools
from fnmatch import fnmatchcase
from typing import Literal

from weigh.knowledge import Row, read_table

Kind = Literal[
    "safetensors", "pickle", "gguf", "onnx", "tf", "flax", "tflite", "coreml", "openvino", "rust", "original"
]


class WeightFile(Row, frozen=True, kw_only=True):
    """`id` is a pattern of names, or of a folder anywhere in the repository and what is in it."""

    kind: Kind


def kind_of(path: str) -> Kind | None:
    """How the file holds weights by its name; None where it holds none or says nothing of it."""
    name = path.rpartition("/")[2]
    for row in _rows():
        if fnmatchcase(path, row.id) or fnmatchcase(path, f"*/{row.id}") or fnmatchcase(name, row.id):
            return row.kind
    return None


@functools.cache
def _rows() -> tuple[WeightFile, ...]:
    """The most telling first: a folder before a name, a name with a beginning before a mere suffix."""
    rows = read_table("weight_files", WeightFile)
    return tuple(sorted(rows, key=lambda row: (not row.id.endswith("/*"), row.id.startswith("*"), -len(row.id))))
