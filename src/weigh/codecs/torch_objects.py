"""What torch.save puts into a pickle: storages and the tensors that look into them.

The names are those of torch/_utils.py and torch/serialization.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice

from weigh.codecs.pickle_nodes import Call, Global, Node, Pairs, Persistent
from weigh.codecs.pickle_opcodes import Blob
from weigh.core.tensors import TensorInfo
from weigh.core.value import Value
from weigh.knowledge.dtypes import dtype_aliases, dtypes

MOST_NODES = 2_000_000
MOST_TENSORS = 1_000_000
MOST_DIMENSIONS = 64
MOST_KEYS = 256  # of the outermost dict, its tensors not counted
_INSIDE = frozenset({"_parameters", "_modules", "_buffers"})  # of a whole nn.Module; state_dict leaves them out too


class Storage(Value, frozen=True, kw_only=True):
    """A run of elements kept outside the pickle under `key`. `dtype` is None for an untyped one (bytes)."""

    key: str
    dtype: str | None
    num_elements: int
    nbytes: int


class Rebuilt(Value, frozen=True, kw_only=True):
    """A tensor as it would be rebuilt: its view of a storage; no storage for one on the meta device."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    storage: Storage | None
    storage_offset: int  # in elements

    @property
    def itemsize(self) -> int:
        """Bytes an element takes."""
        known = dtypes().get(self.dtype)
        return known.block_bytes if known is not None else 1

    @property
    def last(self) -> int:
        """Bytes of its storage up to and with its last element."""
        if 0 in self.shape:
            return self.storage_offset * self.itemsize
        reach = sum((length - 1) * step for length, step in zip(self.shape, self.stride, strict=False))
        return (self.storage_offset + reach + 1) * self.itemsize

    def info(self, offset: int | None) -> TensorInfo:
        """As a TensorInfo; `offset` is where its storage begins in the file."""
        return TensorInfo(
            name=self.name,
            dtype=self.dtype,
            shape=self.shape,
            nbytes=math.prod(self.shape) * self.itemsize,
            offset=None if offset is None else offset + self.storage_offset * self.itemsize,
            storage=None if self.storage is None else self.storage.key,
        )


def tensors_in(root: Node) -> Iterator[Rebuilt]:
    """Every tensor reachable from here, named by the keys that lead to it, each object once."""
    found = (leaf for _, leaf in _leaves(root) if isinstance(leaf, Rebuilt))
    yield from islice(found, MOST_TENSORS)


def persistent_in(root: Node) -> Iterator[tuple[str, Persistent]]:
    """Everything kept outside the pickle that is reachable from here, by the keys that lead to it."""
    found = ((name, leaf) for name, leaf in _leaves(root) if isinstance(leaf, Persistent))
    yield from islice(found, MOST_TENSORS)


def keys_of(root: Node) -> dict[str, str]:
    """The keys of the outermost dict and what each holds (`int`, `dict`, a class's name); tensors are left out."""
    named = ((str(key), kind) for key, value in _items(root) if isinstance(key, str | int) and (kind := _kind(value)))
    return dict(islice(named, MOST_KEYS))


def _leaves(root: Node) -> Iterator[tuple[str, Rebuilt | Persistent]]:
    """Tensors and what is kept outside, by the keys that lead there; each object is gone through once."""
    pending: list[tuple[str, Node]] = [("", root)]
    seen: set[int] = set()
    for _ in range(MOST_NODES):
        if not pending:
            return
        name, node = pending.pop()
        leaf = _tensor(name, node) if isinstance(node, Call) else node
        if isinstance(leaf, Rebuilt | Persistent):
            yield name, leaf
        elif isinstance(node, Call | Pairs | list | tuple) and id(node) not in seen:
            seen.add(id(node))
            pending += reversed(_children(name, node))


def _kind(value: Node) -> str | None:
    """What a value is; None for a tensor."""
    match value:
        case Pairs():
            return "dict"
        case Call(function=Global(name=name)):
            return None if _tensor("", value) is not None else name
        case Call() | Persistent():
            return "object"
        case None | bool() | int() | float() | str() | list() | tuple():
            return type(value).__name__ if value is not None else "None"
    return "bytes" if isinstance(value, Blob | bytes) else "object"


def storage_of(node: Node) -> Storage | None:
    """The storage that a persistent id stands for, or that id written out; None if it is something else."""
    match node.value if isinstance(node, Persistent) else node:
        case ("storage", Global() as kind, str() | int() as key, _, int(count), *_) if 0 <= count < 1 << 62:
            return _storage(kind, str(key), count)
    return None


def _storage(kind: Global, key: str, count: int) -> Storage:
    dtype = dtype_aliases().get(kind.name)
    size = dtypes()[dtype].block_bytes if dtype is not None else 1
    return Storage(key=key, dtype=dtype, num_elements=count, nbytes=count * size)


def _children(name: str, node: Node) -> list[tuple[str, Node]]:
    match node:
        case Call(function=Global(name="OrderedDict"), arguments=(list(),), items=[]) if items := _items(node):
            return [*((_below(name, key), value) for key, value in items), (name, node.state)]
        case Pairs(items=items):
            return [(_below(name, key), value) for key, value in items]
        case Call(function=function, arguments=arguments, items=items, state=state):
            below = [(_below(name, key), value) for key, value in items]
            if (isinstance(function, Global) and function.name == "OrderedDict" and isinstance(arguments, tuple)) or (
                isinstance(arguments, tuple) and not items and state is None
            ):
                below += [(name, argument) for argument in arguments]
            return [*below, (name, state)]
        case _:
            return [(_below(name, number), value) for number, value in enumerate(node)]


def _items(node: Node) -> Sequence[tuple[Node, Node]]:
    """Keys and values of a dict, or of an OrderedDict as Python 2 writes it: its pairs are its one argument."""
    match node:
        case Call(function=Global(name="OrderedDict"), arguments=(list() as rows,), items=[]):
            pairs = [(row[0], row[1]) for row in rows if isinstance(row, list | tuple) and len(row) == 2]
            return pairs if len(pairs) == len(rows) else ()
        case Pairs(items=items) | Call(items=items):
            return items
    return ()


def _below(name: str, key: Node) -> str:
    if not isinstance(key, str | int) or key in _INSIDE:
        return name
    return f"{name}.{key}" if name else str(key)


def _tensor(name: str, call: Call) -> Rebuilt | None:
    """The tensor this call rebuilds, through parameters and subclasses that wrap it."""
    for _ in range(8):
        function, arguments = call.function, call.arguments
        if not isinstance(function, Global) or not isinstance(arguments, tuple):
            return None
        match function.name, arguments:
            case (("_rebuild_parameter" | "_rebuild_parameter_with_state"), (Call() as inner, *_)):
                call = inner
            case "_rebuild_from_type_v2", (Global() as inner_function, _, tuple() as inner_arguments, *_):
                call = Call(inner_function, inner_arguments)
            case "_rebuild_tensor_v3", (stored, offset, shape, stride, _, _, Global() as kind, *_):
                return _view(name, stored, (offset, shape, stride), dtype_aliases().get(kind.name, kind.name))
            case (("_rebuild_tensor_v2" | "_rebuild_tensor" | "_rebuild_qtensor"), (stored, offset, shape, stride, *_)):
                return _view(name, stored, (offset, shape, stride), None)
            case "_rebuild_meta_tensor_no_storage", (Global() as kind, shape, stride, *_) if _is_shape(shape):
                dtype = dtype_aliases().get(kind.name, kind.name)
                return Rebuilt(name=name, dtype=dtype, shape=shape, stride=stride, storage=None, storage_offset=0)
            case _:
                return None
    return None


def _view(name: str, stored: Node, view: tuple[Node, Node, Node], dtype: str | None) -> Rebuilt | None:
    storage = storage_of(stored)
    offset, shape, stride = view
    if storage is None or type(offset) is not int or offset < 0 or not _is_shape(shape) or not _is_shape(stride):
        return None
    return Rebuilt(
        name=name,
        dtype=dtype or storage.dtype or "U8",
        shape=shape,
        stride=stride,
        storage=storage,
        storage_offset=offset,
    )


def _is_shape(shape: Node) -> bool:
    return (
        isinstance(shape, tuple)
        and len(shape) <= MOST_DIMENSIONS
        and all(type(length) is int and 0 <= length < 1 << 62 for length in shape)
        and math.prod(shape) < 1 << 63
    )
