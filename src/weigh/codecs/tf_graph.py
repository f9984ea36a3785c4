"""TensorFlow's GraphDef: nodes of the graph and of its functions, the tensors in them, graphs inside strings.

Field numbers are those of https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/framework.
"""

from __future__ import annotations

import math
import re
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from itertools import islice

from weigh.codecs.protobuf import Message, Span, Wire
from weigh.codecs.protobuf_shape import Kind, first, fits
from weigh.core.errors import FormatError, Malformed, OverBudget
from weigh.core.header import Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.tensors import TensorInfo
from weigh.knowledge.dtypes import dtypes
from weigh.knowledge.element_types import dtype_name

MOST_TENSORS = 100_000
MOST_DIMENSIONS = 254  # TensorFlow's own bound
MOST_ELEMENTS = 1 << 63
MOST_NESTED = 8  # graphs in strings of graphs
MOST_STRING = 64 << 20

GRAPH: Mapping[int, Kind] = {1: "message", 2: "message", 3: "varint", 4: "message", 5: "message"}
NODE: Mapping[int, Kind] = {
    1: "text",  # name
    2: "text",  # op
    3: "text",  # input
    4: "text",  # device
    5: "message",  # attr
    6: "message",  # experimental_debug_info
    7: "message",  # experimental_type
}
_FUNCTION: Mapping[int, Kind] = {
    1: "message",  # signature
    3: "message",  # node_def
    4: "message",  # ret
    5: "message",  # attr
    6: "message",  # control_ret
    7: "message",  # arg_attr
    8: "message",  # resource_arg_unique_id
}
_LEAST_GRAPH = 16  # bytes
_OP = re.compile(r"[A-Za-z_>][A-Za-z0-9_>./-]*\Z")
_CONTENT = (4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)

Node = tuple[str, Message]  # its name, with the function it is in before a slash


def is_graph(wire: Wire, span: Span) -> bool:
    """Fields of a GraphDef only, and a first node that has a name and an operation."""
    seen = fits(wire, span, GRAPH)
    if not seen or not seen & {1, 2}:
        return False
    node = first(wire, span, 1)
    if node is not None:
        return _is_node(wire, node)
    library = first(wire, span, 2)
    return library is not None and is_function(wire, first(wire, library, 1))


def is_function(wire: Wire, span: Span | None) -> bool:
    """Fields of a FunctionDef only, and a first node that is one."""
    if span is None or not fits(wire, span, _FUNCTION):
        return False
    node = first(wire, span, 3)
    return node is not None and _is_node(wire, node)


def _is_node(wire: Wire, span: Span) -> bool:
    seen = fits(wire, span, NODE)
    if seen is None:
        return False
    op = first(wire, span, 2)
    if op is None or not _OP.match(wire.text(op, most=256)):
        return False
    return 1 in seen


def nodes(graph: Message) -> Iterator[Node]:
    """Every node of the graph, then of each function in its library."""
    for node in graph.messages(1):
        yield node.text(1) or "", node
    library = graph.message(2)
    for function in library.messages(1) if library is not None else ():
        yield from nodes_of(function)


def nodes_of(function: Message) -> Iterator[Node]:
    """The nodes of one function."""
    signature = function.message(1)
    name = signature.text(1) if signature is not None else None
    for node in function.messages(3):
        yield f"{name or ''}/{node.text(1) or ''}", node


def num_functions(graph: Message) -> int:
    """How many its library holds."""
    library = graph.message(2)
    return len(library.spans(1)) if library is not None else 0


class Account:
    """What reading graphs brought together: tensors, problems, operations counted."""

    __slots__ = ("operators", "problems", "tensors")

    def __init__(self) -> None:
        self.operators: Counter[str] = Counter()
        self.tensors: list[TensorInfo] = []
        self.problems: list[Problem] = []

    def add(self, graph: Message, stem: str = "") -> None:
        """Count a graph's nodes and keep the tensors of its constants."""
        for name, node in nodes(graph):
            op = node.text(2) or ""
            self.operators[op] += 1
            if op == "Const" and (tensor := constant(node)) is not None:
                info = tensor_info(tensor, stem + name)
                self.tensors.append(info)
                self.problems += tensor_problems(tensor, info) if len(self.problems) < 100 else ()
                if len(self.tensors) > MOST_TENSORS:
                    raise OverBudget("tensors", path=node.wire.source.path, offset=node.span[0], most=MOST_TENSORS)

    @property
    def counted(self) -> dict[str, Meta]:
        """Operations, the most frequent first."""
        return dict(self.operators.most_common())


def constant(node: Message) -> Message | None:
    """The tensor of a Const."""
    value = attribute(node, "value")
    return value.message(8) if value is not None else None


def attribute(node: Message, name: str) -> Message | None:
    """One attribute's value."""
    return next((entry.message(2) for entry in node.messages(5) if entry.text(1) == name), None)


def tensor_info(tensor: Message, name: str) -> TensorInfo:
    """A TensorProto; values that repeat are stored once. Raises Malformed for a shape that cannot be."""
    shape = fixed_shape(tensor.message(2), tensor, name)
    places = [place for number in _CONTENT if (place := tensor.stored(number)) is not None]
    offset, nbytes = places[0] if places else (None, 0)
    dtype = dtype_name("tensorflow", tensor.unsigned(1) or 0)
    return TensorInfo(name=name, dtype=dtype, shape=shape, nbytes=nbytes, offset=offset)


def tensor_problems(tensor: Message, info: TensorInfo) -> Iterator[Problem]:
    """Content that does not fill the shape."""
    known = dtypes().get(info.dtype)
    if known is None or known.kind == "other" or not (content := tensor.stored(4)) or not content[1]:
        return
    needed = math.prod(info.shape) * max(known.block_bytes, 1)  # four bits take a byte here
    if content[1] != needed:
        detail = Saying("problem.span", name=info.name, nbytes=content[1], needed=needed)
        yield Problem(kind="malformed", detail=detail, offset=content[0])


def fixed_shape(shape: Message | None, holder: Message, name: str) -> tuple[int, ...]:
    """A TensorShapeProto without unknown dimensions. Raises Malformed for one that cannot be."""
    lengths = tuple(one.whole(1) or 0 for one in shape.messages(2)) if shape is not None else ()
    if len(lengths) > MOST_DIMENSIONS or any(length < 0 for length in lengths) or math.prod(lengths) >= MOST_ELEMENTS:
        raise Malformed("tensor_shape", path=holder.wire.source.path, offset=holder.span[0], name=name)
    return lengths


def shown_shape(shape: Message | None) -> Meta:
    """The same as the file says it: `?` for a dimension nobody knows; None where even their number is unknown."""
    if shape is None or shape.unsigned(3):
        return None
    dimensions = (one.whole(1) or 0 for one in islice(shape.messages(2), MOST_DIMENSIONS))
    return tuple(length if length >= 0 else "?" for length in dimensions)


def observe(graph: Message) -> Iterator[Observation]:
    """Every operation with the node it first stands in, inside functions and inside graphs kept as strings too."""
    pending: deque[tuple[str, Iterator[Node], int]] = deque([("", nodes(graph), 0)])
    seen: set[str] = set()
    while pending:
        stem, found, depth = pending.popleft()
        for name, node in found:
            op = node.text(2) or ""
            if op not in seen:
                seen.add(op)
                yield Observation(kind="operator", value=op, where=stem + name, offset=node.span[0])
            for inner in _graphs_in(node):
                yield Observation(kind="embedded", value="tf-graphdef", where=stem + name, offset=node.span[0])
                if depth < MOST_NESTED:
                    pending.append((f"{stem}{name}/", inner, depth + 1))


def _graphs_in(node: Message) -> Iterator[Iterator[Node]]:
    """Strings among a node's attributes and constants that are graphs or functions themselves."""
    for span in node.spans(5):
        value = node.wire.message(span).message(2) if span[1] - span[0] >= _LEAST_GRAPH else None
        if value is None:
            continue
        listed, tensor = value.message(1), value.message(8)
        spans = value.spans(2) + (listed.spans(2) if listed is not None else [])
        spans += tensor.spans(8) if tensor is not None and tensor.unsigned(1) == 7 else []
        for span in spans:
            if _LEAST_GRAPH <= span[1] - span[0] <= MOST_STRING and (inner := _nested(node.wire, span)) is not None:
                yield inner


def _nested(wire: Wire, span: Span) -> Iterator[Node] | None:
    try:
        if is_graph(wire, span):
            return nodes(wire.message(span))
        if is_function(wire, span):
            return nodes_of(wire.message(span))
    except FormatError:  # a string that only begins like a graph
        return None
    return None
