"""Arrays between files of numpy, jobs and libraries; nothing is unpickled."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

from weigh.core.engine import Failed
from weigh.core.errors import BadReference, SourceError
from weigh.core.value import Value
from weigh.core.work import Array, Fault

MOST_BYTES = 1 << 30
MOST_ARRAYS = 4096
_KINDS = "biufc"


class Port(Value, frozen=True, kw_only=True):
    """An input of a model: numpy's name of its type, and its shape; None where a dimension is free."""

    name: str
    dtype: str | None = None
    shape: tuple[int | None, ...] | None = None


def arrays_from(data: bytes, path: str) -> tuple[Array, ...]:
    """Of a .npy file, or of an archive of them. Raises SourceError for what is neither, BadReference without numpy."""
    try:
        import numpy
    except ImportError as error:
        raise BadReference("run.numpy") from error
    try:
        if data.startswith(b"\x93NUMPY"):
            return (array_of("", numpy.load(io.BytesIO(data), allow_pickle=False)),)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
        if len(members) > MOST_ARRAYS or sum(one.file_size for one in members) > MOST_BYTES:
            raise SourceError("run.too_long", path=path, most=MOST_BYTES)
        with numpy.load(io.BytesIO(data), allow_pickle=False) as found:
            return tuple(array_of("" if name.startswith("arr_") else name, found[name]) for name in found.files)
    except (ValueError, KeyError, OSError, EOFError, MemoryError, zipfile.BadZipFile, Failed) as error:
        raise SourceError("run.no_arrays_there", path=path) from error


def npz(arrays: Iterable[Array]) -> bytes:
    """An archive of .npy files, one an array."""
    import numpy

    into = io.BytesIO()
    numpy.savez(into, **{array.name: numbers(array) for array in arrays})
    return into.getvalue()


def numbers(array: Array) -> Any:
    """As numpy has it. Raises Failed for a type or a shape that cannot be."""
    import numpy

    try:
        dtype = numpy.dtype(array.dtype)
        if dtype.kind not in _KINDS:
            raise TypeError(array.dtype)
        return numpy.frombuffer(array.data, dtype.newbyteorder("<")).reshape(array.shape)
    except (TypeError, ValueError) as error:
        detail = f"{array.name or 'an input'} is no array of numbers: {error}"
        raise Failed(Fault(kind="bad_input", detail=detail)) from error


def array_of(name: str, value: Any) -> Array:
    """Of whatever numpy takes for an array. Raises Failed for objects and texts."""
    import numpy

    array = numpy.asarray(value)
    if array.dtype.kind not in _KINDS:
        raise Failed(Fault(kind="unsupported", detail=f"{name or 'an array'} holds {array.dtype}, and no numbers"))
    little = numpy.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    return Array(name=name, dtype=array.dtype.name, shape=array.shape, data=little.tobytes())


def bound(arrays: Sequence[Array], ports: Sequence[Port]) -> dict[str, Any]:
    """Each array at its port, in the port's type where that loses nothing. Raises Failed where they do not agree."""
    left = [port.name for port in ports]
    found: dict[str, Any] = {}
    for array in sorted(arrays, key=lambda array: not array.name):  # those with a name first
        name = array.name or next(iter(left), "")
        if name not in left:
            raise Failed(Fault(kind="bad_input", detail=f"no input is called {name or 'so'}: {told(ports)}"))
        left.remove(name)
        found[name] = _as(numbers(array), next(port for port in ports if port.name == name))
    if left:
        raise Failed(Fault(kind="bad_input", detail=f"{', '.join(left)} wanting: {told(ports)}"))
    return {port.name: found[port.name] for port in ports}


def told(ports: Sequence[Port]) -> str:
    """`it takes x float32 [?, 3]`."""
    return "it takes " + ", ".join(_port(port) for port in ports)


def _port(port: Port) -> str:
    shape = "" if port.shape is None else f" [{', '.join('?' if n is None else str(n) for n in port.shape)}]"
    return f"{port.name} {port.dtype or 'numbers'}{shape}"


def _as(value: Any, port: Port) -> Any:
    import numpy

    if port.shape is not None and not _agree(value.shape, port.shape):
        raise Failed(Fault(kind="bad_input", detail=f"{port.name} has shape {list(value.shape)}: {told((port,))}"))
    if port.dtype is None or value.dtype == port.dtype:
        return value
    if not numpy.can_cast(value.dtype, port.dtype, "same_kind"):
        raise Failed(Fault(kind="bad_input", detail=f"{port.name} is {value.dtype}: {told((port,))}"))
    return value.astype(port.dtype)


def _agree(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(shape) == len(wanted) and all(w is None or w == n for n, w in zip(shape, wanted, strict=True))
