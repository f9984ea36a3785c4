"""joblib's files: a pickle with arrays between its opcodes, bare or compressed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from weigh.codecs.joblib_packed import ZFILE, head_of, method_of, unpack
from weigh.codecs.joblib_stream import MODULES, follow, run
from weigh.codecs.numpy_objects import arrays_in
from weigh.codecs.pickle import is_pickle
from weigh.codecs.pickle_nodes import Call, Global, Node, Pairs, Stream
from weigh.codecs.pickle_observations import observe
from weigh.codecs.unpacking import MOST_UNPACKED, Unpacked
from weigh.core.errors import OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.sources.memory import MemorySource

HEAD = 1 << 20
_WRAPPER = re.compile(rb"numpy_pickle.{0,64}?ArrayWrapper", re.DOTALL)
_OWN = ("zlib", "lzma", ZFILE)  # streams that joblib alone writes bare


def matches(source: Source) -> bool:
    """A pickle that names joblib's stand-in for arrays, as it is or compressed."""
    if source.read(0, 1) == b"\x80":
        return _WRAPPER.search(source.read(0, HEAD)) is not None and is_pickle(source)
    method = method_of(source)
    inner = b"" if method is None else head_of(source, method)
    if inner[:1] != b"\x80" or not is_pickle(MemorySource(inner, path=source.path)):
        return False
    return method in _OWN or _WRAPPER.search(inner, 0, HEAD) is not None


def read(source: Source) -> Header:
    """Every array by what leads to it; the class of the object. Raises FormatError."""
    content, method, packed = _content(source)
    stream, placed = follow(content)
    if stream.error is not None:
        _tell_what_is_missing(source, packed)
        raise stream.error
    metadata: dict[str, Meta] = {}
    if method is not None:
        metadata["compression"] = method
    if (kind := _class_of(stream.value)) is not None:
        metadata["class"] = kind
    tensors = tuple(arrays_in(stream.value, placed))
    if method is not None:
        tensors = tuple(map(_without_offset, tensors))
    return Header(format="joblib", version=str(stream.protocol), metadata=metadata, tensors=tensors)


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """The pickle as joblib reads it and as a plain loader would, those of objects inside, files kept beside it."""
    content, _, packed = _content(source)
    streams: list[Stream] = []

    def followed(source: Source, *, offset: int, most: int) -> Stream:
        stream = run(source, offset=offset, most=most)
        streams[:] = streams or [stream]
        return stream

    yield from observe(content, follow=followed)
    for value in (path for stream in streams for path in _files_beside(stream.value)):
        yield Observation(kind="external_path", value=value)
    _tell_what_is_missing(source, packed)


def _content(source: Source) -> tuple[Source, str | None, Unpacked | None]:
    """The pickle, how it is compressed and what was unpacked. Raises FormatError."""
    method = None if source.read(0, 1) == b"\x80" else method_of(source)
    if method is None:
        return source, None, None
    packed = unpack(source, method)
    return packed.source(source.path), method, packed


def _tell_what_is_missing(source: Source, packed: Unpacked | None) -> None:
    """Raises FormatError where only a part could be unpacked."""
    if packed is None or packed.whole:
        return
    if packed.error is not None:
        raise packed.error
    raise OverBudget("zip.inflated", path=source.path, most=MOST_UNPACKED)


def _without_offset(tensor: TensorInfo) -> TensorInfo:
    """What lies in a compressed stream has no place in the file."""
    return TensorInfo(name=tensor.name, dtype=tensor.dtype, shape=tensor.shape, nbytes=tensor.nbytes)


def _class_of(value: Node) -> str | None:
    """The class of what is kept, where it is one."""
    match value:
        case Call(function=Global(name="_reconstructor"), arguments=(Global() as kind, *_)):
            return kind.path
        case Call(function=Global() as kind):
            return kind.path
    return None


def _files_beside(root: Node) -> Iterator[str]:
    """What joblib kept beside the pickle, before its version 0.10: a file for each array."""
    pending, seen = [root], set()
    for _ in range(MOST_UNPACKED >> 6):
        if not pending:
            return
        node = pending.pop()
        if not isinstance(node, Call | Pairs | list | tuple) or id(node) in seen:
            continue
        seen.add(id(node))
        match node:
            case Call(function=Global(module=module), state=Pairs(items=items)) if module in MODULES:
                names = {key: value for key, value in items if isinstance(key, str)}
                if isinstance(name := names.get("filename"), str):
                    yield name
        pending += _below(node)


def _below(node: Node) -> list[Node]:
    match node:
        case Pairs(items=items):
            return [value for _, value in items]
        case Call(arguments=arguments, items=items, state=state):
            return [*(value for _, value in items), arguments, state]
    return list(node)


FORMAT = Format(
    name="joblib",
    suffixes=(".joblib", ".pkl", ".gz", ".z", ".bz2", ".xz", ".lzma"),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("storage_bytes",),
)
