"""TensorFlow Lite: one flatbuffer of operators, tensors and their bytes; Circle is the same with types of its own.

The fields are those of tensorflow/compiler/mlir/lite/schema/schema.fbs, by their numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from weigh.codecs.flatbuffers import Flat, Table
from weigh.codecs.zip import is_zip, read_directory
from weigh.core.errors import Malformed
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.core.value import Value
from weigh.knowledge.operators import operators

IDENTIFIERS = {b"TFL3": "tflite", b"CIR0": "circle"}
MOST_LISTED = 256  # inputs, outputs, signatures, entries of metadata
MOST_DIMENSIONS = 64
_CUSTOM = 32
_OLD_CODES = 127  # above this the code stands in its second field
_TYPES = (  # TensorType, by number
    "F32", "F16", "I32", "U8", "I64", "STRING", "BOOL", "I16", "C64", "I8", "F64", "C128", "U64", "RESOURCE", "VARIANT",
    "U32", "U16", "I4", "BF16", "I2", "U4",
)  # fmt: skip


class _Buffer(Value, frozen=True, kw_only=True):
    offset: int
    nbytes: int


class _Model:
    """The root table with what all its graphs share, and the problems met."""

    __slots__ = ("buffers", "codes", "problems", "quantised", "root", "source")

    def __init__(self, source: Source) -> None:
        flat = Flat(source)
        self.source = source
        self.root = flat.root()
        self.problems: list[Problem] = []
        self.quantised = 0
        self.codes = tuple(_operator(code) for code in self.root.tables(1, "operator_codes"))
        self.buffers = tuple(_buffer(buffer) for buffer in self.root.tables(4, "buffers"))


def matches(source: Source) -> bool:
    """The identifier behind the root's offset."""
    head = source.read(0, 8)
    return head[4:] in IDENTIFIERS and 8 <= int.from_bytes(head[:4], "little") < source.size


def read(source: Source) -> Header:
    """Tensors that have bytes, and what each graph does. Raises FormatError."""
    model = _Model(source)
    tensors: list[TensorInfo] = []
    graphs: list[Meta] = []
    counted: Counter[str] = Counter()
    for number, graph in enumerate(model.root.tables(2, "subgraphs")):
        name = graph.text(4, "subgraph name")
        rows = tuple(graph.tables(0, "tensors"))
        stem = f"{name or number}/" if number else ""
        tensors += (
            tensor
            for row, at in zip(rows, range(len(rows)), strict=True)
            for tensor in _stored(model, row, f"{stem}{at}", stem)
        )
        used = Counter(_used(model, operator) for operator in graph.tables(3, "operators"))
        counted.update(used)
        graphs.append(_graph(graph, rows, name, sum(used.values())))
    kind = IDENTIFIERS.get(source.read(4, 4), "tflite")
    return Header(
        format="tflite",
        version=str(model.root.number(0, 4, "version")),
        metadata={
            "identifier": kind,
            "description": model.root.text(3, "description"),
            "subgraphs": tuple(graphs[:MOST_LISTED]),
            "operators": dict(counted.most_common()),
            "quantised_tensors": model.quantised,
            "metadata": tuple(row.text(0, "metadata name") for row in _few(model.root, 6, "metadata")),
            "signatures": tuple(row.text(2, "signature_key") for row in _few(model.root, 7, "signature_defs")),
        },
        tensors=tuple(tensors),
        problems=tuple(model.problems),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Every operator, custom ones as `custom:NAME`; files packed behind the model."""
    model = _Model(source)
    seen: set[str] = set()
    for number, graph in enumerate(model.root.tables(2, "subgraphs")):
        where = graph.text(4, "subgraph name") or str(number)
        for operator in graph.tables(3, "operators"):
            if (name := _used(model, operator)) not in seen:
                seen.add(name)
                yield Observation(kind="operator", value=name, where=where, offset=operator.offset)
    if is_zip(source):
        for member in read_directory(source).members:
            yield Observation(kind="embedded", value="zip", where=member.name, offset=member.offset)


def _operator(code: Table) -> str:
    """The name of a builtin, or `custom:` and the name that a delegate or a kernel is registered by."""
    number = code.number(3, 4, "builtin_code", signed=True) or code.number(0, 1, "deprecated_builtin_code")
    number = number if number > _OLD_CODES else code.number(0, 1, "deprecated_builtin_code") or number
    custom = code.text(1, "custom_code")
    if number == _CUSTOM or custom:
        return f"custom:{custom or '?'}"
    return operators()["tflite"].get(number, f"operator {number}")


def _used(model: _Model, operator: Table) -> str:
    index = operator.number(0, 4, "opcode_index")
    if index >= len(model.codes):
        raise Malformed(
            "flatbuffers.index", path=model.source.path, offset=operator.offset, what="opcode_index", index=index
        )
    return model.codes[index]


def _buffer(buffer: Table) -> _Buffer | None:
    """Where its bytes are: in the flatbuffer, or behind it where they would not fit."""
    outside, nbytes = buffer.number(1, 8, "buffer offset"), buffer.number(2, 8, "buffer size")
    if outside > 1:
        return _Buffer(offset=outside, nbytes=nbytes)
    data = buffer.vector(0, 1, "buffer data")
    return _Buffer(offset=data.offset, nbytes=data.count) if data is not None and data.count else None


def _stored(model: _Model, row: Table, number: str, stem: str) -> Iterator[TensorInfo]:
    """The tensor if it has bytes: those that a graph only computes have none."""
    quantised = row.table(4, "quantization")
    if quantised is not None and (scale := quantised.vector(2, 4, "scale")) is not None and scale.count:
        model.quantised += 1
    index = row.number(2, 4, "buffer")
    if index >= len(model.buffers):
        raise Malformed("flatbuffers.index", path=model.source.path, offset=row.offset, what="buffer", index=index)
    buffer = model.buffers[index]
    if buffer is None:
        return
    text = row.text(3, "tensor name")
    name = f"{stem}{text}" if text else number
    if buffer.offset + buffer.nbytes > model.source.size:
        missing = buffer.offset + buffer.nbytes - model.source.size
        detail = Saying("problem.truncated", missing=missing, size=model.source.size)
        model.problems.append(Problem(kind="truncated", detail=detail, offset=row.offset))
    yield TensorInfo(
        name=name,
        dtype=_dtype(row, name, model.problems),
        shape=_shape(row),
        nbytes=buffer.nbytes,
        offset=buffer.offset,
        storage=str(index),
    )


def _dtype(row: Table, name: str, problems: list[Problem]) -> str:
    number = row.number(1, 1, "tensor type")
    if number < len(_TYPES):
        return _TYPES[number]
    detail = Saying("problem.flatbuffers.type", name=name, type=number)
    problems.append(Problem(kind="unknown-type", detail=detail, offset=row.offset))
    return f"TFLITE_{number}"


def _shape(row: Table) -> tuple[int, ...]:
    shape = row.numbers(0, 4, "tensor shape")
    if len(shape) > MOST_DIMENSIONS:
        raise Malformed("flatbuffers.rank", path=row.flat.source.path, offset=row.offset, rank=len(shape))
    return shape


def _graph(graph: Table, rows: tuple[Table, ...], name: str | None, operators: int) -> Meta:
    return {
        "name": name,
        "inputs": _ends(graph, 1, rows),
        "outputs": _ends(graph, 2, rows),
        "tensors": len(rows),
        "operators": operators,
    }


def _ends(graph: Table, field: int, rows: tuple[Table, ...]) -> tuple[Meta, ...]:
    """Inputs or outputs: name, type and shape of each."""
    indices = graph.numbers(field, 4, "inputs")[:MOST_LISTED]
    return tuple(
        {"name": rows[index].text(3, "tensor name"), "dtype": _dtype(rows[index], "", []), "shape": _shape(rows[index])}
        for index in indices
        if 0 <= index < len(rows)
    )


def _few(table: Table, field: int, what: str) -> Iterator[Table]:
    for _, row in zip(range(MOST_LISTED), table.tables(field, what), strict=False):
        yield row


FORMAT = Format(
    name="tflite",
    suffixes=(".tflite", ".lite", ".circle"),
    matches=matches,
    read=read,
    examine=examine,
    not_covered=("custom_options",),
)
