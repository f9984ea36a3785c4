"""TensorFlow's MetaGraphDef: a graph with what is served from it, and the objects that made it.

Field numbers are those of https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/protobuf.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from weigh.codecs.external_path import leaves
from weigh.codecs.json import decode
from weigh.codecs.protobuf import Message, Span, Wire
from weigh.codecs.protobuf_shape import Kind, first, fits
from weigh.codecs.tf_graph import is_graph, num_functions, observe, shown_shape
from weigh.core.errors import FormatError
from weigh.core.header import Meta
from weigh.core.observation import Observation
from weigh.knowledge.element_types import dtype_name

MOST_LISTED = 256
MOST_METADATA = 1 << 22  # a layer's own JSON

META_GRAPH: Mapping[int, Kind] = {
    1: "message",  # meta_info_def
    2: "message",  # graph_def
    3: "message",  # saver_def
    4: "message",  # collection_def
    5: "message",  # signature_def
    6: "message",  # asset_file_def
    7: "message",  # object_graph_def
}
_META_INFO: Mapping[int, Kind] = {
    1: "text",  # meta_graph_version
    2: "message",  # stripped_op_list
    3: "message",  # any_info
    4: "text",  # tags
    5: "text",  # tensorflow_version
    6: "text",  # tensorflow_git_version
    7: "varint",  # stripped_default_attrs
    8: "message",  # function_aliases
}


def is_meta_graph(wire: Wire, span: Span) -> bool:
    """Fields of a MetaGraphDef only: what made it, and a graph."""
    seen = fits(wire, span, META_GRAPH)
    if seen is None:
        return False
    info = first(wire, span, 1)
    told = fits(wire, info, _META_INFO) if info is not None else None
    if info is not None and (told is None or not told & {2, 4, 5, 7}):
        return False
    graph = first(wire, span, 2)
    if graph is None:
        return told is not None and 5 in told
    return is_graph(wire, graph) if graph[1] > graph[0] else told is not None


def described(meta_graph: Message) -> dict[str, Meta]:
    """Tags, the version that wrote it, signatures, and how many functions, objects and variables there are."""
    info, graph, objects = (meta_graph.message(number) for number in (1, 2, 7))
    found: dict[str, Meta] = {
        "tags": tuple(islice(info.texts(4), MOST_LISTED)) if info is not None else (),
        "tensorflow_version": info.text(5) if info is not None else None,
        "signatures": {name: _signature(one) for name, one in _few(meta_graph.table(5))},
        "collections": tuple(name for name, _ in _few(meta_graph.table(4))),
        "functions": num_functions(graph) if graph is not None else 0,
        "objects": len(objects.spans(1)) if objects is not None else 0,
        "variables": sum(7 in one for one in objects.messages(1)) if objects is not None else 0,
    }
    return {key: value for key, value in found.items() if value not in (None, (), {}, 0)}


def observe_meta_graph(meta_graph: Message) -> Iterator[Observation]:
    """Operations, files it wants beside it, and the layers its objects say they are."""
    graph, objects = meta_graph.message(2), meta_graph.message(7)
    if graph is not None:
        yield from observe(graph)
    for asset in islice(meta_graph.messages(6), MOST_LISTED):
        path = asset.text(2) or ""
        if leaves(path):
            yield Observation(kind="external_path", value=path, where="asset_file_def", offset=asset.span[0])
    for one in objects.messages(1) if objects is not None else ():
        made = one.message(4)
        if made is not None and (text := made.span_of(3)) is not None:
            yield from layers(made.wire, text, made.text(1) or "")


def layers(wire: Wire, text: Span, where: str) -> Iterator[Observation]:
    """The classes that a Keras object's JSON names; a Lambda carries marshalled code."""
    try:
        data = wire.bytes(text, most=MOST_METADATA)
        table, _ = decode(data, path=wire.source.path, offset=text[0])
    except FormatError:  # not JSON: other objects keep other texts
        return
    pending: list[Any] = [table]
    seen: set[str] = set()
    while pending:
        match pending.pop():
            case {"class_name": str(name), **rest} as one:
                if name not in seen:
                    seen.add(name)
                    yield Observation(kind="layer", value=name, where=where, offset=text[0])
                if name in ("Lambda", "__lambda__"):
                    yield Observation(kind="code", value=_told(one), where=where, offset=text[0])
                pending += rest.values()
            case dict(table):
                pending += table.values()
            case list(items):
                pending += items


def _told(layer: dict[str, Any]) -> str:
    match layer.get("config"):
        case {"name": str(name)}:
            return f"Lambda {name}"[:200]
        case _:
            return "Lambda"


def _few(table: Mapping[str, Message]) -> Iterator[tuple[str, Message]]:
    return islice(table.items(), MOST_LISTED)


def _signature(signature: Message) -> dict[str, Meta]:
    return {
        "method": signature.text(3),
        "inputs": {name: _value(one) for name, one in _few(signature.table(1))},
        "outputs": {name: _value(one) for name, one in _few(signature.table(2))},
    }


def _value(value: Message) -> dict[str, Meta]:
    dtype = dtype_name("tensorflow", value.unsigned(2) or 0)
    return {"tensor": value.text(1), "dtype": dtype, "shape": shown_shape(value.message(3))}
