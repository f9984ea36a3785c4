"""skops' files: a zip with a tree of nodes as JSON and the arrays beside it; loading builds the classes it names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from weigh.codecs.embedded import Inside
from weigh.codecs.json import decode
from weigh.codecs.npz import arrays_in, observe_npz, tensor_of
from weigh.codecs.pickle import is_pickle
from weigh.codecs.zip import Member, is_zip, open_member, read_directory
from weigh.core.errors import FormatError, Malformed, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo

SCHEMA = "schema.json"
MOST_SCHEMA = 6 << 20  # as Python holds it, JSON may take twenty times its bytes
MOST_NODES = 300_000
MOST_KEPT = 1000

_HELD_IN = frozenset({"content", "attrs", "__reduce__", "args"})
_VALUES = frozenset({"JsonNode", "DictNode", "ListNode", "TupleNode", "SetNode"})  # with no class of their own


def matches(source: Source) -> bool:
    """A zip whose schema.json is of nodes with loaders."""
    if not is_zip(source) or (source.read(0, 2) != b"PK" and is_pickle(source)):
        return False
    try:
        member = _schema(source)
        return member is not None and b'"__loader__"' in open_member(source, member).read(0, 4096)
    except FormatError:
        return False


def read(source: Source) -> Header:
    """Arrays by what leads to them, the class of the object, the version. Raises FormatError."""
    root = _root(source)
    members = read_directory(source).members
    by_member = {member.name: tensor_of(source, member, array) for member, array in arrays_in(source, members)}
    tensors: list[TensorInfo] = []
    for path, node in _nodes(root):
        match node:
            case {"file": str(name)} if (found := by_member.pop(name, None)) is not None:
                tensors.append(_named(found, path or name))
    tensors += by_member.values()
    version = root.get("_skops_version")
    metadata: dict[str, Meta] = {}
    match root:
        case {"__module__": str(module), "__class__": str(name)}:
            metadata["class"] = f"{module}.{name}"
    kinds = {f"{module}.{name}" for _, module, name in _classes(root)}
    metadata["classes"] = tuple(sorted(kinds))[:MOST_KEPT]
    return Header(
        format="skops",
        version=version if isinstance(version, str) else None,
        metadata=metadata,
        tensors=tuple(tensors),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Every class that loading builds, every kind of node; arrays of objects and other members."""
    seen: set[tuple[str, str]] = set()
    loaders: set[str] = set()
    root = _root(source)
    for path, module, name in _classes(root):
        if (module, name) not in seen:
            seen.add((module, name))
            yield Observation(kind="import", value=f"{module} {name}", where=path or SCHEMA)
    for path, node in _nodes(root):
        loader = node.get("__loader__")
        if isinstance(loader, str) and loader not in loaders:
            loaders.add(loader)
            yield Observation(kind="operator", value=loader, where=path or SCHEMA)
    yield from observe_npz(source, Inside(source.path))


def _schema(source: Source) -> Member | None:
    return next((one for one in read_directory(source).members if one.name == SCHEMA), None)


def _root(source: Source) -> dict[str, Any]:
    member = _schema(source)
    if member is None:
        raise Malformed("skops.schema", path=source.path, offset=0)
    if member.nbytes > MOST_SCHEMA:
        raise OverBudget(
            "too_long", path=source.path, offset=member.offset, what=SCHEMA, length=member.nbytes, most=MOST_SCHEMA
        )
    content = open_member(source, member)
    root = decode(content.read(0, content.size), path=content.path)[0]
    if not isinstance(root, dict):
        raise Malformed("skops.schema", path=source.path, offset=member.offset)
    return root


def _nodes(root: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every table, with the path of keys that leads to it, without those that only say how a thing is built."""
    pending: list[tuple[str, Any]] = [("", root)]
    for _ in range(MOST_NODES):
        if not pending:
            return
        path, node = pending.pop()
        if isinstance(node, dict | list) and len(node) + len(pending) > MOST_NODES:
            raise OverBudget("too_many", what=SCHEMA, count=len(node), most=MOST_NODES)
        if isinstance(node, dict):
            yield path, node
            pending += reversed([(_below(path, key), one) for key, one in node.items()])
        elif isinstance(node, list):
            pending += reversed([(_below(path, str(number)), one) for number, one in enumerate(node)])


def _below(path: str, key: str) -> str:
    if key in _HELD_IN or len(path) > 512:
        return path
    return f"{path}.{key[:512]}" if path else key[:512]


def _classes(root: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for path, node in _nodes(root):
        match node:
            case {"__loader__": str(loader), "__module__": str(module), "__class__": str(name)}:
                if loader not in _VALUES or module != "builtins":
                    yield path, module, name


def _named(tensor: TensorInfo, name: str) -> TensorInfo:
    return TensorInfo(
        name=name,
        dtype=tensor.dtype,
        shape=tensor.shape,
        nbytes=tensor.nbytes,
        offset=tensor.offset,
        storage=tensor.storage,
    )


FORMAT = Format(name="skops", suffixes=(".skops",), matches=matches, read=read, examine=examine)
