"""Datatypes of HDF5: numbers, strings, compounds, enumerations, arrays and what else is nested in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from weigh.codecs.cursor import Cursor
from weigh.codecs.hdf5_file import number, width_of
from weigh.core.errors import Malformed, OverBudget
from weigh.core.value import Value

Kind = Literal[
    "integer", "float", "time", "string", "bits", "opaque", "compound", "reference", "enum", "list", "text", "array",
    "complex",
]  # fmt: skip

MOST_DEPTH = 16
MOST_MEMBERS = 4096
MOST_RANK = 32

_FLOATS = {
    (2, 5, 10): "F16",
    (2, 8, 7): "BF16",
    (4, 8, 23): "F32",
    (8, 11, 52): "F64",
    (1, 4, 3): "F8_E4M3",
    (1, 5, 2): "F8_E5M2",
}
_COMPLEX = {"F16": "C32", "F32": "C64", "F64": "C128"}
_BOOL = (("FALSE", "TRUE"), (0, 1))


class Datatype(Value, frozen=True, kw_only=True):
    """`size` is what one element takes; a list or a text keeps its content in the global heap.

    `dtype` is the name it has in knowledge/dtypes, that of the element for an array of `shape`.
    """

    kind: Kind
    size: int
    dtype: str
    signed: bool | None = None
    big: bool | None = None
    base: Datatype | None = None
    shape: tuple[int, ...] = ()
    members: tuple[tuple[str, int, Datatype], ...] = ()  # name, offset in the element, type
    names: tuple[str, ...] = ()  # of an enumeration

    @property
    def all_shape(self) -> tuple[int, ...]:
        """The lengths of arrays in arrays."""
        shape, inner = self.shape, self.base
        while self.kind == "array" and inner is not None and inner.kind == "array":
            shape, inner = shape + inner.shape, inner.base
        return shape


def read_datatype(cursor: Cursor, depth: int = 0) -> Datatype:
    """The datatype that is encoded here. Raises FormatError."""
    at = cursor.offset
    if depth > MOST_DEPTH:
        raise OverBudget("hdf5.depth", path=cursor.source.path, offset=at, most=MOST_DEPTH)
    head = cursor.u8("datatype class and version")
    kind, version = head & 15, head >> 4
    bits, size = number(cursor, 3, "datatype bits"), cursor.u32("datatype size")
    if kind not in _CLASSES:
        raise Malformed("hdf5.class", path=cursor.source.path, offset=at, number=kind)
    return _CLASSES[kind](cursor, _Head(bits, size, version, depth))


class _Head(NamedTuple):
    bits: int
    size: int
    version: int
    depth: int


def _integer(cursor: Cursor, head: _Head) -> Datatype:
    cursor.skip(4, "precision")
    signed, size = bool(head.bits & 8), head.size
    dtype = f"{'I' if signed else 'U'}{size * 8}"
    return Datatype(kind="integer", size=size, dtype=dtype, signed=signed, big=bool(head.bits & 1))


def _float(cursor: Cursor, head: _Head) -> Datatype:
    cursor.skip(5, "precision and exponent location")
    exponent = cursor.u8("exponent size")
    cursor.skip(1, "mantissa location")
    mantissa = cursor.u8("mantissa size")
    cursor.skip(4, "exponent bias")
    dtype = _FLOATS.get((head.size, exponent, mantissa), f"F{head.size * 8}")
    return Datatype(kind="float", size=head.size, dtype=dtype, big=bool(head.bits & 1))


def _time(cursor: Cursor, head: _Head) -> Datatype:
    cursor.skip(2, "precision")
    return Datatype(kind="time", size=head.size, dtype=f"U{head.size * 8}")


def _string(cursor: Cursor, head: _Head) -> Datatype:
    return Datatype(kind="string", size=head.size, dtype="STRING")


def _bits(cursor: Cursor, head: _Head) -> Datatype:
    cursor.skip(4, "precision")
    return Datatype(kind="bits", size=head.size, dtype=f"U{head.size * 8}")


def _opaque(cursor: Cursor, head: _Head) -> Datatype:
    cursor.skip(-(-(head.bits & 255) // 8) * 8, "opaque tag")
    return Datatype(kind="opaque", size=head.size, dtype="OPAQUE")


def _reference(cursor: Cursor, head: _Head) -> Datatype:
    return Datatype(kind="reference", size=head.size, dtype="REFERENCE")


def _list(cursor: Cursor, head: _Head) -> Datatype:
    base = read_datatype(cursor, head.depth + 1)
    if head.bits & 15 == 1:
        return Datatype(kind="text", size=head.size, dtype="STRING", base=base)
    return Datatype(kind="list", size=head.size, dtype="LIST", base=base)


def _complex(cursor: Cursor, head: _Head) -> Datatype:
    base = read_datatype(cursor, head.depth + 1)
    return Datatype(kind="complex", size=head.size, dtype=_COMPLEX.get(base.dtype, "STRUCT"), base=base)


def _compound(cursor: Cursor, head: _Head) -> Datatype:
    count = head.bits & 0xFFFF
    _check(cursor, count, 6)
    members = tuple(_member(cursor, head) for _ in range(count))
    dtype = "STRUCT"
    if [name for name, _, _ in members] == ["r", "i"] and members[0][2].dtype == members[1][2].dtype:
        dtype = _COMPLEX.get(members[0][2].dtype, dtype)
    return Datatype(kind="compound", size=head.size, dtype=dtype, members=members)


def _member(cursor: Cursor, head: _Head) -> tuple[str, int, Datatype]:
    name = _name(cursor, padded=head.version < 3)
    offset = number(cursor, width_of(head.size) if head.version >= 3 else 4, "member offset")
    shape: tuple[int, ...] = ()
    if head.version == 1:
        rank = cursor.u8("member dimensionality")
        cursor.skip(11, "permutation")
        lengths = [cursor.u32("member dimension") for _ in range(4)]
        shape = tuple(lengths[:rank])
    inner = read_datatype(cursor, head.depth + 1)
    if shape:
        inner = Datatype(kind="array", size=inner.size, dtype=inner.dtype, base=inner, shape=shape)
    return name, offset, inner


def _enum(cursor: Cursor, head: _Head) -> Datatype:
    count = head.bits & 0xFFFF
    base = read_datatype(cursor, head.depth + 1)
    _check(cursor, count, base.size + 1)
    names = tuple(_name(cursor, padded=head.version < 3) for _ in range(count))
    order: Literal["little", "big"] = "big" if base.big else "little"
    values = tuple(int.from_bytes(cursor.bytes(base.size, "enum value"), order) for _ in range(count))
    is_bool = base.size == 1 and (names, values) == _BOOL
    dtype = "BOOL" if is_bool else base.dtype
    return Datatype(kind="enum", size=head.size, dtype=dtype, base=base, names=names, signed=base.signed, big=base.big)


def _array(cursor: Cursor, head: _Head) -> Datatype:
    rank = cursor.u8("array dimensionality")
    if rank > MOST_RANK:
        raise Malformed("hdf5.rank", path=cursor.source.path, offset=cursor.offset, rank=rank)
    cursor.skip(3 if head.version < 3 else 0, "reserved")
    shape = tuple(cursor.u32("array dimension") for _ in range(rank))
    cursor.skip(4 * rank if head.version < 3 else 0, "permutation")
    base = read_datatype(cursor, head.depth + 1)
    return Datatype(kind="array", size=head.size, dtype=base.dtype, base=base, shape=shape)


def _name(cursor: Cursor, *, padded: bool) -> str:
    """Up to its zero, which with what pads it to eight bytes is passed."""
    taken = b""
    while b"\0" not in taken:
        if len(taken) > 4096:
            raise Malformed("hdf5.name", path=cursor.source.path, offset=cursor.offset)
        taken += cursor.bytes(8 if padded else 1, "member name")
    return taken.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _check(cursor: Cursor, count: int, at_least: int) -> None:
    cursor.count(count, at_least=at_least, what="members")
    if count > MOST_MEMBERS:
        raise OverBudget(
            "too_many", path=cursor.source.path, offset=cursor.offset, what="members", count=count, most=MOST_MEMBERS
        )


_CLASSES: Mapping[int, Callable[[Cursor, _Head], Datatype]] = {
    0: _integer,
    1: _float,
    2: _time,
    3: _string,
    4: _bits,
    5: _opaque,
    6: _compound,
    7: _reference,
    8: _enum,
    9: _list,
    10: _array,
    11: _complex,
}
