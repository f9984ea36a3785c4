"""Plain HDF5 files from h5py, in every layout of the format: `python -m tools.samples.hdf5 OUT`."""

from __future__ import annotations

import ctypes
import pickle
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tools.samples.oracles import NUMPY, main, note


def write(folder: Path) -> None:
    """Every sample and its oracle."""
    for name, libver in (("first", "earliest"), ("v108", ("v108", "v108")), ("newest", "latest")):
        path = folder / f"{name}.h5"
        with h5py.File(path, "w", libver=libver) as file:
            fill(file)
            crowd(file)
        keep(path)
    shared(folder / "shared-messages.h5")
    keep(folder / "shared-messages.h5")
    with h5py.File(folder / "in-order-of-creation.h5", "w", track_order=True) as file:
        fill(file)
    keep(folder / "in-order-of-creation.h5")
    matlab(folder / "matlab-7.3.mat")
    keep(folder / "matlab-7.3.mat", user_block=512)
    netcdf(folder / "netcdf-4.nc")
    keep(folder / "netcdf-4.nc")
    outside(folder / "leads-outside.h5")
    keep(folder / "leads-outside.h5", external=["elsewhere.h5", "raw.bin", "source.h5"])
    with h5py.File(folder / "hides-a-pickle.h5", "w") as file:
        hide(file)
    keep(folder / "hides-a-pickle.h5", embedded=["blob", "letters", "names", "@note"])


def fill(file: Any) -> None:
    """Every class of datatype, every layout."""
    file.attrs.update({"text": "words", "whole": 7, "real": 2.5, "flag": True, "nothing": h5py.Empty("f4")})
    file.attrs["big"] = np.arange(5, dtype=">i4")
    file.attrs["flags"] = np.array([True, False])
    file.attrs["texts"] = ["a", "bc", "文字"]
    file.attrs["fixed"] = np.array([b"xx", b"yyy"])
    file["group/inner/half"] = np.zeros((2, 3), "f2")
    file["group/inner"].attrs["of"] = "inner"
    file["bool"], file["big"], file["scalar"] = np.array([True, False]), np.zeros(3, ">f8"), 3.0
    file["complex"] = np.zeros(2, "c8")
    file["compound"] = np.zeros(3, dtype=[("a", "i4"), ("b", "f8", (2, 3))])
    file["fixed"], file["opaque"] = np.array([b"abc", b"de"]), np.void(b"hello")
    file.create_dataset("text", data=["x", "yy"], dtype=h5py.string_dtype())
    file.create_dataset("enum", (2,), dtype=h5py.enum_dtype({"A": 1, "B": 2}, "i2"))
    file.create_dataset("array", (4,), dtype=np.dtype(("f4", (3, 2))))
    file.create_dataset("list", (2,), dtype=h5py.vlen_dtype("i4"))
    file.create_dataset("reference", (2,), dtype=h5py.ref_dtype)
    file.create_dataset("never-written", (4,), "f4")
    file.create_dataset("null", data=h5py.Empty("i8"))
    file.create_dataset("chunked", data=np.ones((20, 20), "f4"), chunks=(5, 5))
    file.create_dataset("packed", data=np.ones((40, 40), "f4"), chunks=(20, 20), compression="gzip", shuffle=True)
    file.create_dataset("growing", data=np.zeros((4, 4), "f4"), chunks=(2, 2), maxshape=(None, None))
    file["again"], file["by-path"] = file["group"], h5py.SoftLink("/group/inner")
    file["a-type"] = np.dtype("f8")
    file.create_dataset("of-a-type", (3,), dtype=file["a-type"])


def crowd(file: Any) -> None:
    """More links and attributes than stay beside their object."""
    for number in range(40):
        file[f"crowd/{number:03}"] = np.uint8(number)
        file["crowd"].attrs[f"a{number}"] = number


def shared(path: Path) -> None:
    """Dataspaces, datatypes and attributes kept once for the whole file, which h5py has no words for."""
    library = ctypes.CDLL(str(next(Path(h5py.__file__).parents[1].glob("h5py.libs/libhdf5-*"))))
    creation, access = h5py.h5p.create(h5py.h5p.FILE_CREATE), h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    number = ctypes.c_int64(creation.id)
    every = 1 << 1 | 1 << 3 | 1 << 5 | 1 << 11 | 1 << 12  # H5O_SHMESG_ALL_FLAG
    assert library.H5Pset_shared_mesg_nindexes(number, 1) == 0
    assert library.H5Pset_shared_mesg_index(number, 0, every, 8) == 0
    with h5py.File(h5py.h5f.create(bytes(path), h5py.h5f.ACC_TRUNC, creation, access)) as file:
        for count in range(20):
            file[f"d{count}"] = np.zeros((count % 3 + 1, 2), dtype=[("first", "f4"), ("second", "i8")])
            file[f"d{count}"].attrs.update({"numbers": np.arange(12), "text": "words"})
        file["many"] = np.zeros(3, "f4")
        file["many"].attrs.update({f"k{count}": np.arange(count % 3 + 4.0) for count in range(20)})


def matlab(path: Path) -> None:
    """As MATLAB writes it: 512 bytes of its own before the file, names in capitals."""
    with h5py.File(path, "w", userblock_size=512) as file:
        file["A"] = np.zeros((3, 2))
        file["A"].attrs["MATLAB_class"] = np.bytes_(b"double")
    said = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Tue Nov 24 2026 HDF5 schema 1.00 ."
    with path.open("r+b") as raw:
        raw.write(said.ljust(116) + bytes(8) + b"\0\2IM")


def netcdf(path: Path) -> None:
    """As netCDF-4 lays it out: dimension scales, the attributes by which it knows its own."""
    with h5py.File(path, "w", track_order=True) as file:
        file["time"] = np.arange(4.0)
        file["time"].make_scale("time")
        file["field"] = np.zeros((4, 2), "f4")
        file["field"].dims[0].attach_scale(file["time"])
        file.attrs["_NCProperties"] = "version=2,netcdf=4.9.2,hdf5=1.14.0"


def outside(path: Path) -> None:
    with h5py.File(path, "w", libver="latest") as file:
        file["link"] = h5py.ExternalLink("elsewhere.h5", "/weights")
        file.create_dataset("kept", (4,), "f4", external=[("raw.bin", 0, 16)])
        layout = h5py.VirtualLayout((4,), "f4")
        layout[:] = h5py.VirtualSource("source.h5", "data", (4,))
        file.create_virtual_dataset("virtual", layout)


class Harmless:
    """Names what it would call, and does no harm if it is called."""

    def __reduce__(self) -> tuple[object, ...]:
        return print, ("called",)


def hide(file: Any) -> None:
    data = pickle.dumps(Harmless(), protocol=4)
    file["blob"] = np.void(data)
    file["letters"] = np.frombuffer(data, "u1")
    file["names"] = np.array([pickle.dumps(Harmless(), protocol=0)])
    file.attrs["note"] = np.void(data)


def keep(path: Path, **said: object) -> None:
    """The oracle: what visititems and the attributes say."""
    tensors, attributes = [], {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            tensors.append(
                (name, dtype_of(item), [*(item.shape or ()), *base_of(item)] if item.shape is not None else [0])
            )
        if len(item.attrs):
            attributes[name] = {key: plain(item.attrs[key]) for key in item.attrs}

    with h5py.File(path) as file:
        visit("", file)
        file.visititems(visit)
    note(path, "hdf5", tensors, attributes=attributes, **said)


def dtype_of(item: Any) -> str:
    dtype = item.id.get_type().dtype
    base = dtype.subdtype[0] if dtype.subdtype else dtype
    if h5py.check_string_dtype(base):
        return "STRING"
    if h5py.check_vlen_dtype(base):
        return "LIST"
    if h5py.check_ref_dtype(base):
        return "REFERENCE"
    if base.fields:
        return "STRUCT"
    if base.kind == "V":
        return "OPAQUE"
    return {"complex64": "C64"}.get(base.name) or NUMPY[base.name]


def base_of(item: Any) -> list[int]:
    dtype = item.id.get_type().dtype
    return list(dtype.subdtype[1]) if dtype.subdtype else []


def plain(value: Any) -> Any:
    """As our reader tells it: strings, numbers, flat lists; null for what is not taken apart."""
    if isinstance(value, h5py.Empty) or (isinstance(value, np.ndarray) and value.dtype.fields):
        return None
    if isinstance(value, np.ndarray) and value.dtype == object and not all(isinstance(one, str) for one in value.flat):
        return None
    if isinstance(value, h5py.Reference):
        return None
    if isinstance(value, np.void):
        return value.tobytes().hex()
    flat = [one.decode() if isinstance(one, bytes) else one for one in np.asarray(value).reshape(-1).tolist()]
    return flat if np.ndim(value) else flat[0]


if __name__ == "__main__":
    main(write)
