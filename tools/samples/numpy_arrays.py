"""NumPy's files from NumPy: `python -m tools.samples.numpy_arrays OUT`, into OUT/npy and OUT/npz."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from tools.samples.oracles import NUMPY, main, note

NESTED = np.dtype([("a", "<i4"), ("b", [("c", "<f8"), ("d", "O")])])


def write(folder: Path) -> None:
    """Every sample and its oracle."""
    single, zipped = folder / "npy", folder / "npz"
    single.mkdir(parents=True, exist_ok=True)
    zipped.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {
        "plain": np.zeros((3, 4), "f4"),
        "fortran": np.asfortranarray(np.zeros((3, 4))),
        "big": np.zeros(5, ">i2"),
        "scalar": np.float16(1),
        "letters": np.array(["ab", "cde"]),
        "fields": np.zeros(3, dtype=[("a", "<i4"), ("b", "<f8", (2,)), ("文", "u1")]),
        "objects": np.array([{"a": 1}, None], dtype=object),
        "objects-in-fields": np.zeros(2, dtype=NESTED),
        "dates": np.zeros(2, "M8[ns]"),
    }
    for name, array in arrays.items():
        path = single / f"{name}.npy"
        np.save(path, array, allow_pickle=True)
        note(path, "npy", [("arr_0", dtype_of(np.asarray(array).dtype), list(np.shape(array)))])
    for version in ((1, 0), (2, 0), (3, 0)):
        path = single / f"version-{version[0]}.npy"
        with path.open("wb") as file:
            npy.write_array(file, np.zeros((2, 2), "u1"), version=version)
        note(path, "npy", [("arr_0", "U8", [2, 2])], version=f"{version[0]}.0")
    save(zipped / "stored.npz", np.savez, {name: arrays[name] for name in ("plain", "big", "letters")})
    save(zipped / "deflated.npz", np.savez_compressed, {"a": np.zeros((50, 50)), "b": arrays["fields"]})
    save(zipped / "objects.npz", np.savez, {"weights": arrays["plain"], "table": arrays["objects"]})


def save(path: Path, how: Any, arrays: dict[str, Any]) -> None:
    how(path, **arrays)
    note(path, "npz", [(name, dtype_of(one.dtype), list(one.shape)) for name, one in arrays.items()])


def dtype_of(dtype: Any) -> str:
    if dtype.fields:
        return "STRUCT"
    return {"O": "OBJECT", "U": "STRING", "S": "STRING", "M": "I64"}.get(dtype.kind) or NUMPY[dtype.name]


if __name__ == "__main__":
    main(write)
