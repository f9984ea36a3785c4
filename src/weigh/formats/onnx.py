"""ONNX: one protobuf message, told by its shape for it has no magic; the numbers inside or in files beside it.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator, Iterator, Mapping
from itertools import islice

from weigh.codecs.onnx_tensors import DATA, TENSOR, fills, is_external, tensor_info, tensor_problems
from weigh.codecs.protobuf import Message, Span, Wire
from weigh.codecs.protobuf_shape import Kind, first, fits
from weigh.core.errors import FormatError, OverBudget
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.knowledge.element_types import dtype_name

MOST_DEPTH = 64  # of graphs in attributes of nodes
MOST_TENSORS = 65_536
MOST_LISTED = 1024  # inputs, outputs, functions, properties
MOST_IR_VERSION = 1000
DEFAULT_DOMAIN = "ai.onnx"

MODEL: Mapping[int, Kind] = {
    1: "varint",  # ir_version
    2: "text",  # producer_name
    3: "text",  # producer_version
    4: "text",  # domain
    5: "varint",  # model_version
    6: "bytes",  # doc_string
    7: "message",  # graph
    8: "message",  # opset_import
    14: "message",  # metadata_props
    20: "message",  # training_info
    25: "message",  # functions
    26: "message",  # configuration
}
_OPSET: Mapping[int, Kind] = {1: "text", 2: "varint"}
_GRAPH: Mapping[int, Kind] = {
    1: "message",  # node
    2: "text",  # name
    5: "message",  # initializer
    10: "bytes",  # doc_string
    11: "message",  # input
    12: "message",  # output
    13: "message",  # value_info
    14: "message",  # quantization_annotation
    15: "message",  # sparse_initializer
    16: "message",  # metadata_props
}
_NODE: Mapping[int, Kind] = {
    1: "text",  # input
    2: "text",  # output
    3: "text",  # name
    4: "text",  # op_type
    5: "message",  # attribute
    6: "bytes",  # doc_string
    7: "text",  # domain
    8: "text",  # overload
    9: "message",  # metadata_props
    10: "message",  # device_configurations
}
_SEQUENCE: Mapping[int, Kind] = {
    1: "text",  # name
    2: "varint",  # elem_type
    3: "message",  # tensor_values
    4: "message",  # sparse_tensor_values
    5: "message",  # sequence_values
    6: "message",  # map_values
    7: "message",  # optional_values
}
_KINDS_OF_VALUE = {4: "sequence", 5: "map", 7: "opaque", 8: "sparse", 9: "optional"}


def matches(source: Source) -> bool:
    """A graph whose first node is one, beside an IR version or operator sets, and no field that a model has not."""
    head = source.read(0, 1)
    if not head or head[0] & 7 not in (0, 2):
        return False
    wire, whole = Wire(source), (0, source.size)
    seen = fits(wire, whole, MODEL)
    if seen is None or not (seen & {1, 8}):
        return False
    if not all(fits(wire, span, _OPSET) for span in [first(wire, whole, 8)] if span):
        return False
    graph = first(wire, whole, 7)
    return _is_graph(wire, graph) if graph is not None else {8, 25} <= seen


def _is_graph(wire: Wire, graph: Span) -> bool:
    seen = fits(wire, graph, _GRAPH)
    if not seen:
        return False
    node = first(wire, graph, 1)
    return node is None or bool(fits(wire, node, _NODE, most=16))


def read(source: Source) -> Header:
    """What the model says of itself, its operators counted, and every tensor in it. Raises FormatError."""
    model = Wire(source).whole()
    operators: Counter[str] = Counter()
    named: set[str] = set()
    tensors: list[TensorInfo] = []
    problems: list[Problem] = []
    for kind, name, part in _parts(model):
        if kind == "node":
            operators[_operator(part)] += 1
        elif kind == "tensor":
            info = tensor_info(part, name)
            tensors.append(info)
            problems += _double(part, name, named) if len(problems) < 100 else ()
            problems += islice(tensor_problems(part, info), 8) if len(problems) < 100 else ()
            if len(tensors) > MOST_TENSORS:
                raise OverBudget("tensors", path=source.path, offset=part.span[0], most=MOST_TENSORS)
    version = model.whole(1)
    return Header(
        format="onnx",
        version=str(version) if version is not None else None,
        metadata={
            **_metadata(model, frozenset(tensor.name for tensor in tensors)),
            "operators": dict(operators.most_common()),
        },
        tensors=tuple(tensors),
        problems=tuple(problems),
    )


def _double(tensor: Message, name: str, named: set[str]) -> Iterator[Problem]:
    """Names are for one graph; tensors without one are of nodes."""
    if name in named and tensor.text(8):
        detail = Saying("problem.duplicate_tensor", name=name)
        yield Problem(kind="duplicate", detail=detail, offset=tensor.span[0])
    named.add(name)


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Operators with their domain, where tensors lie outside, code in functions' names, and every property's text."""
    model = Wire(source).whole()
    seen: set[str] = set()
    for kind, name, part in _parts(model):
        if kind == "node":
            operator = _operator(part)
            if operator not in seen:
                seen.add(operator)
                yield Observation(kind="operator", value=operator, where=name, offset=part.span[0])
        elif kind == "tensor" and is_external(part):
            location = tensor_info(part, name).storage or ""
            yield Observation(kind="external_path", value=location, where=name, offset=part.span[0])
    for entry in islice(model.messages(14), MOST_LISTED):
        value = entry.text(2) or ""
        if "{{" in value or "{%" in value:
            yield Observation(kind="template", value=value, where=entry.text(1), offset=entry.span[0])


_Part = tuple[str, str, Message]  # "node" or "tensor", its name with where it lies, what it is


def _parts(model: Message) -> Iterator[_Part]:
    """Every node and tensor of the graph, of functions, of training, and of the graphs inside their nodes."""
    pending: deque[tuple[str, Message, int]] = deque()
    if (graph := model.message(7)) is not None:
        pending.append(("", graph, 0))
    for training in model.messages(20):
        pending.extend(("training/", one, 0) for number in (1, 2) for one in training.messages(number))
    for function in model.messages(25):
        name = function.text(1) or "function"
        pending.extend((stem, one, 1) for stem, one in (yield from _nodes(function, 7, f"{name}/")))
    while pending:
        where, graph, depth = pending.popleft()
        if depth > MOST_DEPTH:
            raise OverBudget("onnx.depth", path=model.wire.source.path, offset=graph.span[0], most=MOST_DEPTH)
        yield from _initializers(graph, where)
        pending.extend((stem, one, depth + 1) for stem, one in (yield from _nodes(graph, 1, where)))


def _nodes(graph: Message, field: int, where: str) -> Generator[_Part, None, list[tuple[str, Message]]]:
    """Each node and the tensors in its attributes; returns the graphs in them, with what to call what is there."""
    graphs: list[tuple[str, Message]] = []
    for number, node in enumerate(graph.messages(field)):
        name = where + (node.text(3) or f"{node.text(4) or ''}_{number}")
        yield "node", name, node
        for span in node.spans(5):
            if any(field[0] in _HOLDERS for field in node.wire.fields(span)):
                attribute = node.wire.message(span)
                yield from _tensors_in(attribute, node, name, where)
                stem = f"{name}/{attribute.text(1) or ''}/"
                graphs += [(stem, one) for kind in (6, 11) for one in attribute.messages(kind)]
    return graphs


_HOLDERS = frozenset((5, 6, 10, 11, 22, 23))  # what in an attribute is a tensor or a graph


def _initializers(graph: Message, where: str) -> Iterator[_Part]:
    for tensor in graph.messages(5):
        yield "tensor", where + (tensor.text(8) or ""), tensor
    for sparse in graph.messages(15):
        values, indices = sparse.message(1), sparse.message(2)
        name = where + (values.text(8) or "" if values is not None else "")
        if values is not None:
            yield "tensor", name, values
        if indices is not None:
            yield "tensor", f"{name}/indices", indices


def _tensors_in(attribute: Message, node: Message, name: str, where: str) -> Iterator[_Part]:
    """A Constant's value is called as its node's output is; others by node and attribute."""
    tensors = [*attribute.messages(5), *attribute.messages(10)]
    for sparse in [*attribute.messages(22), *attribute.messages(23)]:
        tensors += [*sparse.messages(1), *sparse.messages(2)]
    if not tensors:
        return
    output = next(iter(node.texts(2)), "")
    stem = where + output if output and node.text(4) == "Constant" else f"{name}/{attribute.text(1) or ''}"
    for number, tensor in enumerate(tensors):
        yield "tensor", stem if number == 0 else f"{stem}/{number}", tensor


def _operator(node: Message) -> str:
    domain = node.text(7) or ""
    name = node.text(4) or ""
    return name if domain in ("", DEFAULT_DOMAIN) else f"{domain}.{name}"


def _metadata(model: Message, given: frozenset[str]) -> dict[str, Meta]:
    """Inputs that are `given` as tensors too are none that a caller must give."""
    graph = model.message(7)
    producer = " ".join(text for number in (2, 3) if (text := model.text(number)))
    found: dict[str, Meta] = {
        "ir_version": model.whole(1),
        "producer": producer or None,
        "domain": model.text(4) or None,
        "model_version": model.whole(5),
        "opsets": _opsets(model),
        "functions": tuple(_function(one) for one in islice(model.messages(25), MOST_LISTED)),
        "metadata_props": {entry.text(1) or "": entry.text(2) for entry in islice(model.messages(14), MOST_LISTED)},
    }
    if graph is not None:
        inputs = (one for one in graph.messages(11) if one.text(1) not in given)
        found |= {
            "graph": graph.text(2),
            "inputs": tuple(_value(one) for one in islice(inputs, MOST_LISTED)),
            "outputs": tuple(_value(one) for one in islice(graph.messages(12), MOST_LISTED)),
        }
    return {key: value for key, value in found.items() if value not in (None, (), {})}


def _opsets(model: Message) -> dict[str, Meta]:
    entries = islice(model.messages(8), MOST_LISTED)
    return {entry.text(1) or DEFAULT_DOMAIN: entry.whole(2) for entry in entries}


def _function(function: Message) -> str:
    domain, name = function.text(10), function.text(1) or ""
    return f"{domain}.{name}" if domain else name


def _value(value: Message) -> dict[str, Meta]:
    """Name, dtype and shape of an input or output; a dimension without a number is its name, or `?`."""
    type = value.message(2)
    found: dict[str, Meta] = {"name": value.text(1)}
    tensor = type.message(1) or type.message(8) if type is not None else None
    if tensor is not None:
        found["dtype"] = dtype_name("onnx", tensor.unsigned(1) or 0)
        shape = tensor.message(2)
        if shape is not None:
            found["shape"] = tuple(_dimension(one) for one in islice(shape.messages(1), MOST_LISTED))
    elif type is not None:
        found["type"] = next((word for number, word in _KINDS_OF_VALUE.items() if number in type), None)
    return found


def _dimension(dimension: Message) -> int | str:
    number = dimension.whole(1)
    return number if number is not None else dimension.text(2) or "?"


def matches_tensor(source: Source) -> bool:
    """A tensor whose numbers fill its shape, or a sequence of such; nothing else in the file."""
    head = source.read(0, 1)
    if not head or head[0] not in b"\x08\x0a\x10":
        return False
    wire, whole = Wire(source), (0, source.size)
    if _is_tensor(wire, whole):
        return True
    seen = fits(wire, whole, _SEQUENCE)
    if seen is None or not {2, 3} <= seen:
        return False
    inner = first(wire, whole, 3)
    return inner is not None and _is_tensor(wire, inner)


def _is_tensor(wire: Wire, span: Span) -> bool:
    seen = fits(wire, span, TENSOR)
    if seen is None or 2 not in seen:
        return False
    try:
        tensor = wire.message(span)
        return fills(tensor, tensor_info(tensor, ""))
    except FormatError:
        return False


def read_tensor(source: Source) -> Header:
    """The tensor, or every tensor of the sequence. Raises FormatError."""
    whole = Wire(source).whole()
    alone = not (3 in whole and 2 in whole and not set(DATA) & whole.numbers)
    parts = [whole] if alone else list(islice(whole.messages(3), MOST_TENSORS))
    tensors: list[TensorInfo] = []
    problems: list[Problem] = []
    for number, part in enumerate(parts):
        name = part.text(8) or ("" if alone else str(number))
        tensors.append(tensor_info(part, name))
        problems += islice(tensor_problems(part, tensors[-1]), 8) if len(problems) < 100 else ()
    metadata: dict[str, Meta] = {} if alone else {"sequence": whole.text(1) or "", "tensors": len(tensors)}
    return Header(format="onnx-tensor", metadata=metadata, tensors=tuple(tensors), problems=tuple(problems))


def examine_tensor(source: Source, header: Header) -> Iterator[Observation]:
    """Where tensors lie outside the file."""
    for tensor in header.tensors:
        if tensor.storage is not None:
            yield Observation(kind="external_path", value=tensor.storage, where=tensor.name)


FORMAT = Format(name="onnx", suffixes=(".onnx",), matches=matches, read=read, examine=examine)
TENSOR_FORMAT = Format(
    name="onnx-tensor", suffixes=(".pb",), matches=matches_tensor, read=read_tensor, examine=examine_tensor
)
