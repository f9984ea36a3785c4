"""ONNX Runtime's own form of a model: the ONNX graph in a flatbuffer.

The fields are those of onnxruntime/core/flatbuffers/schema/ort.fbs, by their numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from weigh.codecs.flatbuffers import Flat, Table
from weigh.core.errors import Malformed
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo

MOST_LISTED = 1024
MOST_DIMENSIONS = 64
MOST_DEPTH = 16  # of graphs in graphs
# TensorDataType by number, as in ONNX.
_TYPES = (
    "UNDEFINED", "F32", "U8", "I8", "U16", "I16", "I32", "I64", "STRING", "BOOL", "F16", "F64", "U32", "U64", "C64",
    "C128", "BF16", "F8_E4M3", "F8_E4M3FNUZ", "F8_E5M2", "F8_E5M2FNUZ", "U4", "I4", "F4",
)  # fmt: skip


def matches(source: Source) -> bool:
    """The identifier behind the root's offset."""
    head = source.read(0, 8)
    return head[4:] == b"ORTM" and 8 <= int.from_bytes(head[:4], "little") < source.size


def read(source: Source) -> Header:
    """Initializers of the graph and of those inside its nodes. Raises FormatError."""
    session = Flat(source).root()
    model = session.table(1, "model")
    if model is None:
        raise Malformed("flatbuffers.lacks", path=source.path, offset=session.offset, what="model")
    problems: list[Problem] = []
    tensors: list[TensorInfo] = []
    counted: Counter[str] = Counter()
    for graph, where in _graphs(model):
        stem = f"{where}/" if where else ""
        tensors += (_tensor(row, stem, problems) for row in graph.tables(0, "initializers"))
        counted.update(_operator(node) for node in graph.tables(2, "nodes"))
    metadata: dict[str, Meta] = {
        "ort_version": session.text(0, "ort_version"),
        "ir_version": model.number(0, 8, "ir_version"),
        "producer": model.text(2, "producer_name"),
        "opsets": {
            row.text(0, "domain") or "ai.onnx": row.number(1, 8, "opset") for row in model.tables(1, "opset_import")
        },
        "operators": dict(counted.most_common()),
    }
    if (main := model.table(7, "graph")) is not None:
        metadata["inputs"] = tuple(main.texts(5, "inputs"))[:MOST_LISTED]
        metadata["outputs"] = tuple(main.texts(6, "outputs"))[:MOST_LISTED]
    return Header(format="onnx", version="ort", metadata=metadata, tensors=tuple(tensors), problems=tuple(problems))


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Every operator of every graph, led by its domain."""
    model = Flat(source).root().table(1, "model")
    seen: set[str] = set()
    for graph, where in _graphs(model) if model is not None else ():
        for node in graph.tables(2, "nodes"):
            if (name := _operator(node)) not in seen:
                seen.add(name)
                yield Observation(kind="operator", value=name, where=where or None, offset=node.offset)


def _graphs(model: Table) -> Iterator[tuple[Table, str]]:
    """The graph and those in the attributes of its nodes, each with the names that lead there."""
    graph = model.table(7, "graph")
    pending = [(graph, "")] if graph is not None else []
    while pending:
        graph, where = pending.pop()
        yield graph, where
        for node in graph.tables(2, "nodes"):
            name = node.text(0, "node name") or node.text(5, "op_type") or "?"
            for attribute in node.tables(10, "attributes"):
                inner = [
                    one for one in (attribute.table(7, "graph"), *attribute.tables(12, "graphs")) if one is not None
                ]
                if inner and where.count("/") >= MOST_DEPTH:
                    raise Malformed(
                        "flatbuffers.depth", path=graph.flat.source.path, offset=node.offset, most=MOST_DEPTH
                    )
                pending += ((one, f"{where}/{name}" if where else name) for one in inner)


def _operator(node: Table) -> str:
    domain, kind = node.text(2, "domain"), node.text(5, "op_type") or "?"
    return f"{domain}::{kind}" if domain else kind


def _tensor(row: Table, stem: str, problems: list[Problem]) -> TensorInfo:
    name = stem + (row.text(0, "tensor name") or "")
    shape, number = row.numbers(2, 8, "dims"), row.number(3, 4, "data_type")
    if len(shape) > MOST_DIMENSIONS or min(shape, default=0) < 0:
        raise Malformed("flatbuffers.rank", path=row.flat.source.path, offset=row.offset, rank=len(shape))
    dtype = _TYPES[number] if 0 < number < len(_TYPES) else f"ONNX_{number}"
    if dtype.startswith("ONNX_"):
        detail = Saying("problem.flatbuffers.type", name=name, type=number)
        problems.append(Problem(kind="unknown-type", detail=detail, offset=row.offset))
    raw = row.vector(4, 1, "raw_data")
    if raw is None:
        return TensorInfo(name=name, dtype=dtype, shape=shape)
    return TensorInfo(name=name, dtype=dtype, shape=shape, nbytes=raw.count, offset=raw.offset)


FORMAT = Format(name="onnx", suffixes=(".ort",), matches=matches, read=read, examine=examine)
