"""NumPy's arrays as pickles rebuild them, and joblib's stand-ins for them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TypeGuard

from weigh.codecs.npy import Element, dtype_of
from weigh.codecs.pickle_nodes import Call, Global, Node, Pairs
from weigh.codecs.pickle_opcodes import Blob
from weigh.core.tensors import TensorInfo
from weigh.core.value import Value

MOST_NODES = 1_000_000
MOST_ARRAYS = 100_000
MOST_NAME = 512
MOST_DIMENSIONS = 64
MOST_FIELDS = 1000
MOST_BASES = 8

_MULTIARRAY = frozenset({"numpy.core.multiarray", "numpy._core.multiarray", "numpy.core._multiarray_umath"})
_NUMERIC = frozenset({"numpy.core.numeric", "numpy._core.numeric"})


class Placed(Value, frozen=True, kw_only=True):
    """The elements of an array that stand between a pickle's opcodes; for objects, a pickle of its own."""

    element: Element
    shape: tuple[int, ...]
    offset: int
    nbytes: int


def arrays_in(root: Node, placed: Mapping[int, Placed]) -> Iterator[TensorInfo]:
    """Every array reachable from here, named by what leads to it; `placed` are joblib's, by the id of their node."""
    pending: list[tuple[str, Node]] = [("", root)]
    seen: set[int] = set()
    found = 0
    for _ in range(MOST_NODES):
        if not pending or found >= MOST_ARRAYS:
            return
        name, node = pending.pop()
        if not isinstance(node, Call | Pairs | list | tuple) or id(node) in seen:
            continue
        seen.add(id(node))
        tensor = _tensor(name, node, placed) if isinstance(node, Call) else None
        if tensor is not None:
            found += 1
            yield tensor
        else:
            pending += reversed(_children(name, node))


def element_of(node: Node) -> Element | None:
    """What a pickled dtype says of an element; None for what is none."""
    for _ in range(MOST_BASES):
        match node:
            case Call(function=Global(name="dtype"), arguments=(str(code), *_), state=state):
                pass
            case _:
                return None
        match state:
            case (_, _, (Call() as base, tuple(shape)), *_) if is_shape(shape):
                node = base
            case _:
                return _element(dtype_of(code), node, state)
    return None


def _element(element: Element | None, node: Call, state: Node) -> Element | None:
    if element is None:
        return None
    match state:
        case (_, _, _, tuple(names), Pairs(), *_) if names:
            return Element(dtype="STRUCT", size=element.size, has_object=_holds_objects(node) or None)
        case (_, ">", *_):
            return Element(dtype=element.dtype, size=element.size, is_big=True, has_object=element.has_object)
    return element


def _holds_objects(node: Call) -> bool:
    """Is one of the fields, however deep, an object? Yes where there are more than are looked at."""
    pending: list[Node] = [node]
    seen: set[int] = set()
    for _ in range(MOST_FIELDS):
        if not pending:
            return False
        one = pending.pop()
        if not isinstance(one, Call | Pairs | tuple) or id(one) in seen:
            continue
        seen.add(id(one))
        match one:
            case Call(arguments=(str(code), *_), state=state):
                if code.lstrip("|<>=").startswith("O"):
                    return True
                pending.append(state)
            case Pairs(items=items):
                pending += [value for _, value in items[:MOST_FIELDS]]
            case tuple():
                pending += one[:MOST_FIELDS]
    return True


def is_shape(shape: Node) -> TypeGuard[tuple[int, ...]]:
    """A tuple of lengths that can be?"""
    return (
        isinstance(shape, tuple)
        and len(shape) <= MOST_DIMENSIONS
        and all(type(length) is int and 0 <= length < 1 << 62 for length in shape)
        and math.prod(shape) < 1 << 63
    )


def _tensor(name: str, call: Call, placed: Mapping[int, Placed]) -> TensorInfo | None:
    if (one := placed.get(id(call))) is not None:
        return TensorInfo(name=name, dtype=one.element.dtype, shape=one.shape, nbytes=one.nbytes, offset=one.offset)
    function, arguments = call.function, call.arguments
    if not isinstance(function, Global):
        return None
    match function.name, arguments, call.state:
        case "_reconstruct", _, (_, tuple(shape), dtype, _, data) if function.module in _MULTIARRAY:
            return _described(name, dtype, shape, data)
        case "_frombuffer", (data, dtype, tuple(shape), *_), _ if function.module in _NUMERIC:
            return _described(name, dtype, shape, data)
    return None


def _described(name: str, dtype: Node, shape: Node, data: Node) -> TensorInfo | None:
    element = element_of(dtype)
    if element is None or not is_shape(shape):
        return None
    return TensorInfo(
        name=name,
        dtype=element.dtype,
        shape=shape,
        nbytes=None if element.has_object else math.prod(shape) * element.size,
        offset=data.offset if isinstance(data, Blob) else None,
    )


def _children(name: str, node: Node) -> list[tuple[str, Node]]:
    match node:
        case Pairs(items=items):
            return [(_below(name, key), value) for key, value in items]
        case Call(arguments=arguments, items=items, state=state):
            below = [(_below(name, key), value) for key, value in items]
            return [*below, (name, arguments), (name, state)]
        case _ if len(node) == 1:
            return [(name, node[0])]
        case _:
            return [(_below(name, number), value) for number, value in enumerate(node)]


def _below(name: str, key: Node) -> str:
    if not isinstance(key, str | int) or len(name) > MOST_NAME:
        return name
    return f"{name}.{str(key)[:MOST_NAME]}" if name else str(key)[:MOST_NAME]
