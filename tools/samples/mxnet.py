"""MXNet's files by hand from NDArray::Save, for no wheel of it installs: `python -m tools.samples.mxnet OUT`."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

from tools.samples.oracles import Tensor, main, note

SIZES = {0: ("F32", 4), 2: ("F16", 2), 3: ("U8", 1), 5: ("I8", 1), 6: ("I64", 8)}
V2, V3 = 0xF993FAC9, 0xF993FACA


def array(kind: int, shape: list[int], *, magic: int = V2) -> bytes:
    """A dense array of zeros."""
    head = struct.pack("<Ii", magic, 0) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}q", *shape)
    return head + struct.pack("<iii", 1, 0, kind) + bytes(SIZES[kind][1] * math.prod(shape))


def oldest(shape: list[int]) -> bytes:
    """Before there was a version: the rank stands where the version is now."""
    head = struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}I", *shape)
    return head + struct.pack("<iii", 1, 0, 0) + bytes(4 * math.prod(shape))


def rows(shape: list[int], kept: int) -> bytes:
    """Row-sparse: so many rows and their numbers."""
    stored = [kept, *shape[1:]]
    head = struct.pack("<Ii", V2, 1)
    for lengths in (stored, shape):
        head += struct.pack("<I", len(lengths)) + struct.pack(f"<{len(lengths)}q", *lengths)
    head += struct.pack("<iii", 1, 0, 0) + struct.pack("<i", 6) + struct.pack("<Iq", 1, kept)
    return head + bytes(4 * math.prod(stored)) + bytes(8 * kept)


def params(arrays: list[bytes], names: list[str]) -> bytes:
    data = struct.pack("<QQQ", 0x112, 0, len(arrays)) + b"".join(arrays) + struct.pack("<Q", len(names))
    return data + b"".join(struct.pack("<Q", len(name)) + name.encode() for name in names)


def write(folder: Path) -> None:
    """Arrays of several types and ages, and the network they belong to."""
    tensors: list[Tensor] = [
        ("arg:fc_weight", "F32", [3, 4]),
        ("arg:fc_bias", "F16", [3]),
        ("aux:mean", "I64", []),
        ("arg:old", "F32", [2, 2]),
        ("arg:rows", "F32", [10, 2]),
    ]
    arrays = [array(0, [3, 4]), array(2, [3]), array(6, [], magic=V3), oldest([2, 2]), rows([10, 2], 3)]
    path = folder / "small-0000.params"
    path.write_bytes(params(arrays, [name for name, _, _ in tensors]))
    note(path, "mxnet", tensors)
    nodes = [
        {"op": "null", "name": "data", "inputs": []},
        {"op": "null", "name": "fc_weight", "attrs": {"num_hidden": "3"}, "inputs": []},
        {"op": "FullyConnected", "name": "fc", "attrs": {"num_hidden": "3"}, "inputs": [[0, 0, 0], [1, 0, 0]]},
        {"op": "Custom", "name": "own", "attrs": {"op_type": "mine"}, "inputs": [[2, 0, 0]]},
    ]
    symbol = {
        "nodes": nodes,
        "arg_nodes": [0, 1],
        "node_row_ptr": [0, 1, 2, 3, 4],
        "heads": [[3, 0, 0]],
        "attrs": {"mxnet_version": ["int", 10900]},
    }
    path = folder / "small-symbol.json"
    path.write_text(json.dumps(symbol, indent=2), "utf-8")
    note(path, "mxnet", operators=["Custom", "FullyConnected"])


if __name__ == "__main__":
    main(write)
