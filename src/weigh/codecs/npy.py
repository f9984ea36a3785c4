"""NumPy's array file: a header that is a Python literal, then elements or, for objects, a pickle.

The layout is that of https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from weigh.codecs.cursor import Cursor
from weigh.codecs.embedded import Inside
from weigh.codecs.literal import Literal, parse_literal
from weigh.codecs.zip import Window
from weigh.core.errors import Malformed, OverBudget
from weigh.core.observation import Observation
from weigh.core.source import Source
from weigh.core.value import Value
from weigh.knowledge.dtypes import dtype_aliases

MAGIC = b"\x93NUMPY"
MOST_HEADER = 1 << 16
MOST_FIELDS = 4096
MOST_DIMENSIONS = 64
MOST_DEPTH = 16

_TYPE = re.compile(r"([<>|=]?)([?biufcSaUVOMm])(\d*)(?:\[[^\]]*\])?")
_NUMBERS = {"b": "I", "i": "I", "u": "U", "f": "F", "c": "C"}


class Array(Value, frozen=True, kw_only=True):
    """`itemsize` is what an element takes; `offset` is where the elements begin in the file of the array."""

    version: str
    dtype: str
    shape: tuple[int, ...]
    itemsize: int
    offset: int
    is_fortran: bool | None = None
    is_big: bool | None = None
    has_object: bool | None = None
    fields: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """Of the elements; nothing is known of objects."""
        return math.prod(self.shape) * self.itemsize


class Element(Value, frozen=True, kw_only=True):
    """What a `descr` says of an element."""

    dtype: str
    size: int
    is_big: bool | None = None
    has_object: bool | None = None
    shape: tuple[int, ...] = ()
    fields: tuple[str, ...] = ()


def read_npy(source: Source, offset: int = 0) -> Array:
    """The array whose file begins at `offset`. Raises FormatError."""
    cursor = Cursor(source, offset=offset, end=offset + MOST_HEADER + 16)
    if cursor.bytes(len(MAGIC), "magic") != MAGIC:
        raise Malformed("npy.header", path=source.path, offset=offset)
    major, minor = cursor.u8("major version"), cursor.u8("minor version")
    if major not in (1, 2, 3):
        raise Malformed("npy.version", path=source.path, offset=offset + 6, version=f"{major}.{minor}")
    length = cursor.u16("header length") if major == 1 else cursor.u32("header length")
    if length > MOST_HEADER:
        raise OverBudget("too_long", path=source.path, offset=cursor.offset, what="header", length=length, most=1 << 16)
    start = cursor.offset
    text = cursor.bytes(length, "header").decode("utf-8" if major == 3 else "latin-1", "backslashreplace")
    table = parse_literal(text, path=source.path, offset=start)
    match table:
        case {"descr": descr, "fortran_order": bool(fortran), "shape": tuple(shape), **more} if (
            _is_shape(shape) and not more
        ):
            pass
        case _:
            raise Malformed("npy.header", path=source.path, offset=start)
    element = _element(descr, source.path, start)
    return Array(
        version=f"{major}.{minor}",
        dtype=element.dtype,
        shape=tuple(int(length) for length in shape if isinstance(length, int)) + element.shape,
        itemsize=element.size,
        offset=cursor.offset,
        is_fortran=fortran or None,
        is_big=element.is_big,
        has_object=element.has_object,
        fields=element.fields,
    )


def observe_npy(source: Source, array: Array, where: str, inside: Inside) -> Iterator[Observation]:
    """An array of objects is a pickle: that it is there, and what is in it."""
    if not array.has_object:
        return
    yield Observation(kind="embedded", value="pickle", where=where, offset=array.offset)
    held = Window(source, array.offset, max(source.size - array.offset, 0), path=source.path)
    for seen in inside.pickles(held, where):
        offset = None if seen.offset is None else seen.offset + array.offset
        yield Observation(kind=seen.kind, value=seen.value, where=seen.where, offset=offset)


def dtype_of(descr: str) -> Element | None:
    """What a type string such as `<f4` says; None for one that numpy does not have."""
    match = _TYPE.fullmatch(descr)
    if match is None:
        name = dtype_aliases().get(descr)
        return None if name is None else Element(dtype=name, size=0)
    order, kind, digits = match.groups()
    size = int(digits[:12] or 0)
    is_big = order == ">" or None
    if kind == "O":
        return Element(dtype="OBJECT", size=8, has_object=True)
    if kind == "?" or (kind == "b" and size == 1):
        return Element(dtype="BOOL", size=1)
    if kind in _NUMBERS:
        return Element(dtype=f"{_NUMBERS[kind]}{size * 8}", size=size, is_big=is_big)
    if kind in "Mm":
        return Element(dtype="I64", size=8, is_big=is_big)
    if kind == "V":
        return Element(dtype="OPAQUE", size=size)
    return Element(dtype="STRING", size=size * (4 if kind == "U" else 1), is_big=is_big)


def _element(descr: Literal, path: str, offset: int, depth: int = 0) -> Element:
    """A plain type, a type with a shape of its own, or fields."""
    if depth > MOST_DEPTH:
        raise OverBudget("json.depth", path=path, offset=offset, most=MOST_DEPTH)
    match descr:
        case str(text):
            found = dtype_of(text)
            if found is not None:
                return found
        case (inner, tuple(shape)) if _is_shape(shape):
            element = _element(inner, path, offset, depth + 1)
            lengths = tuple(int(length) for length in shape if isinstance(length, int))
            return Element(
                dtype=element.dtype,
                size=element.size,
                is_big=element.is_big,
                has_object=element.has_object,
                shape=lengths + element.shape,
            )
        case [*fields] if 0 < len(fields) <= MOST_FIELDS and isinstance(descr, list):
            return _fields(fields, path, offset, depth)
    raise Malformed("npy.dtype", path=path, offset=offset)


def _fields(fields: list[Literal], path: str, offset: int, depth: int) -> Element:
    size, has_object, names = 0, False, []
    for field in fields:
        match field:
            case (str(name) | (_, str(name)), inner):
                element = _element(inner, path, offset, depth + 1)
            case (str(name) | (_, str(name)), inner, tuple(shape)):
                element = _element((inner, shape), path, offset, depth + 1)
            case _:
                raise Malformed("npy.dtype", path=path, offset=offset)
        names.append(name)
        size += element.size * math.prod(element.shape)
        has_object |= bool(element.has_object)
    return Element(dtype="STRUCT", size=size, has_object=has_object or None, fields=tuple(names))


def _is_shape(shape: tuple[Literal, ...]) -> bool:
    return (
        len(shape) <= MOST_DIMENSIONS
        and all(type(length) is int and 0 <= length < 1 << 62 for length in shape)
        and math.prod(int(length) for length in shape if isinstance(length, int)) < 1 << 63
    )
