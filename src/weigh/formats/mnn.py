"""MNN: one flatbuffer without an identifier, known by the shape of its root.

The fields are those of MNN's schema/default/MNN.fbs and CaffeOp.fbs, by their numbers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from weigh.codecs.flatbuffers import Flat, Table, Vector
from weigh.core.errors import FormatError
from weigh.core.format import Format
from weigh.core.header import Header, Meta
from weigh.core.observation import Observation
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo
from weigh.knowledge.operators import operators

EXTERNAL = "external"
MOST_LISTED = 1024
MOST_DIMENSIONS = 64
_MOST_ROOT = 1024  # bytes before the root table
_FEWEST, _MOST_FIELDS = 4, 24
_MOST_TYPE = 1024
_BLOB, _CONVOLUTION, _INNER_PRODUCT, _INPUT, _PLUGIN, _EXTRA = 7, 9, 20, 21, 30, 78  # of OpParameter
# Parameters that are vectors of floats: of OpParameter, the fields and what we call them.
_FLOATS = {
    5: ((1, "slope"), (2, "mean"), (3, "variance"), (4, "bias")),
    _CONVOLUTION: ((1, "weight"), (2, "bias")),
    _INNER_PRODUCT: ((3, "weight"), (4, "bias")),
    32: ((1, "slope"),),
    58: ((1, "scale"), (2, "bias")),
    80: ((1, "weight"), (2, "bias")),
    88: ((2, "gamma"), (3, "beta")),
}
_CODED = {_CONVOLUTION: 3, _INNER_PRODUCT: 7}  # where packed weights stand
_OUTSIDE = 6  # where a convolution says which bytes of another file are its own
_WHOLE = 4  # of a convolution in whole numbers
_DEPTHWISE = frozenset({"ConvolutionDepthwise", "DeconvolutionDepthwise", "DepthwiseConvInt8"})
# DataType by number: our dtype, the field of a Blob that holds its elements, bytes of one there.
_BLOBS = {1: ("F32", 7, 4), 3: ("I32", 5, 4), 4: ("U8", 3, 1), 6: ("I8", 4, 1), 9: ("I64", 6, 8), 19: ("F16", 3, 1)}
_SOURCES = ("caffe", "tensorflow", "tflite", "onnx", "torch")


def matches(source: Source) -> bool:
    """A root with operators of known kinds and the names of tensors; nothing else says so."""
    head = source.read(0, 8)
    root = int.from_bytes(head[:4], "little")
    if len(head) < 8 or root % 4 or not 8 <= root <= _MOST_ROOT or root >= source.size:
        return False
    try:
        return _is_net(Flat(source).root())
    except FormatError:
        return False


def read(source: Source) -> Header:
    """Weights of each operator, by the operator's name. Raises FormatError."""
    net = Flat(source).root()
    counted: Counter[str] = Counter()
    tensors: list[TensorInfo] = []
    inputs: list[Meta] = []
    for operator, stem in _operators(net):
        counted[_kind(operator)] += 1
        tensors += _weights(operator, stem)
        if operator.number(1, 1, "main type") == _INPUT and (row := operator.table(2, "input")) is not None:
            inputs.append({"name": operator.text(3, "name"), "shape": row.numbers(0, 4, "dims")[:MOST_DIMENSIONS]})
    made_from = net.number(6, 1, "sourceType")
    return Header(
        format="mnn",
        metadata={
            "bizCode": net.text(0, "bizCode"),
            "source": _SOURCES[made_from] if made_from < len(_SOURCES) else made_from,
            "operators": dict(counted.most_common()),
            "inputs": tuple(inputs[:MOST_LISTED]),
            "outputs": tuple(net.texts(4, "outputName"))[:MOST_LISTED],
            "uuid": net.text(11, "mnn_uuid"),
            "external": any(tensor.storage == EXTERNAL for tensor in tensors),
        },
        tensors=tuple(tensors),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Every operator; plugins and extras, which code outside runs, as `custom:NAME`."""
    seen: set[str] = set()
    for operator, _ in _operators(Flat(source).root()):
        if (name := _kind(operator)) not in seen:
            seen.add(name)
            yield Observation(kind="operator", value=name, where=operator.text(3, "name"), offset=operator.offset)


def _is_net(net: Table) -> bool:
    if not _FEWEST <= net.num_fields <= _MOST_FIELDS or net.vector(7, 4, "tensorName") is None:
        return False
    names = net.texts(7, "tensorName")
    first = next(names, None)
    if first is None or not first.isprintable():
        return False
    kinds = [operator.number(5, 4, "type") for _, operator in zip(range(4), net.tables(3, "oplists"), strict=False)]
    return bool(kinds) and all(kind <= _MOST_TYPE for kind in kinds)


def _operators(net: Table) -> Iterator[tuple[Table, str]]:
    """All operators, those of subgraphs led by the subgraph's name."""
    for operator in net.tables(3, "oplists"):
        yield operator, ""
    for number, graph in enumerate(net.tables(10, "subgraphs")):
        stem = f"{graph.text(0, 'subgraph name') or number}/"
        for operator in graph.tables(4, "nodes"):
            yield operator, stem


def _kind(operator: Table) -> str:
    """What an operator does; `custom:` and the name of one that is not MNN's own."""
    main = operator.number(1, 1, "main type")
    if main in (_PLUGIN, _EXTRA) and (row := operator.table(2, "main")) is not None:
        return f"custom:{row.text(0, 'type') or '?'}"
    number = operator.number(5, 4, "type")
    return operators()["mnn"].get(number, f"operator {number}")


def _weights(operator: Table, stem: str) -> Iterator[TensorInfo]:
    main = operator.number(1, 1, "main type")
    if main != _BLOB and main not in _FLOATS:
        return
    row = operator.table(2, "main")
    if row is None:
        return
    name = stem + (operator.text(3, "name") or f"operator at {operator.offset}")
    if main == _BLOB:
        yield from _blob(row, name)
        return
    for field, part in _FLOATS[main]:
        vector = row.vector(field, 4, part)
        if vector is not None and vector.count:
            shape = _shape(operator, row, vector.count) if part == "weight" else (vector.count,)
            yield _stored(f"{name}.{part}", "F32", shape, vector, vector.count * 4)
    if main in _CODED:
        yield from _packed(operator, row, name, main)


def _packed(operator: Table, row: Table, name: str, main: int) -> Iterator[TensorInfo]:
    """Weights in fewer bits, or in another file."""
    coded, convolution = row.table(_CODED[main], "quanParameter"), main == _CONVOLUTION
    if convolution and (outside := row.numbers(_OUTSIDE, 8, "external")[:4]):
        yield from _beside(operator, row, outside, name, coded=coded is not None)
    elif coded is not None:
        yield from _coded(operator, row, coded, f"{name}.weight")
    whole = row.table(_WHOLE, "symmetricQuan") if convolution else None
    if whole is not None:
        yield from _whole_numbers(operator, row, whole, name)


def _blob(row: Table, name: str) -> Iterator[TensorInfo]:
    """A constant: its dims and whichever vector its type fills."""
    known = _BLOBS.get(row.number(2, 4, "dataType", default=1))
    if known is None:
        return
    dtype, field, width = known
    vector = row.vector(field, width, "blob")
    if vector is not None:
        shape = row.numbers(0, 4, "dims")[:MOST_DIMENSIONS]
        yield _stored(name, dtype, tuple(max(length, 0) for length in shape), vector, vector.count * width)


def _coded(operator: Table, row: Table, coded: Table, name: str) -> Iterator[TensorInfo]:
    """Weights in fewer bits: 16 as floats, else a table of values and an index into it for each weight."""
    vector = coded.vector(0, 1, "quantised weights")
    if vector is None or not vector.count:
        return
    common = row.table(0, "common")
    if coded.number(2, 4, "quantisation type") == 3:
        yield _stored(name, "F16", _shape(operator, row, vector.count // 2), vector, vector.count)
    elif common is not None:
        size = math.prod(_full(operator, common))
        narrow = vector.count * 2 < size + 512
        yield _stored(name, "I4" if narrow else "I8", _shape(operator, row, size), vector, vector.count)


def _beside(operator: Table, row: Table, outside: tuple[int, ...], name: str, *, coded: bool) -> Iterator[TensorInfo]:
    """Weights in the file `.weight` beside this one: where they begin there, their bytes, then those of the bias."""
    common, nbytes = row.table(0, "common"), outside[1] if len(outside) > 1 else 0
    size = math.prod(_full(operator, common)) if common is not None else 0
    if not size or nbytes <= 0:
        return
    dtype = ("I4" if nbytes * 2 < size + 512 else "I8") if coded else "F16" if nbytes == size * 2 else "F32"
    yield TensorInfo(
        name=f"{name}.weight", dtype=dtype, shape=_shape(operator, row, size), nbytes=nbytes, storage=EXTERNAL
    )
    if (bias := outside[-1 if not coded else 3] if len(outside) > 2 + coded else 0) > 0:
        yield TensorInfo(name=f"{name}.bias", dtype="F32", shape=(bias // 4,), nbytes=bias, storage=EXTERNAL)


def _whole_numbers(operator: Table, row: Table, whole: Table, name: str) -> Iterator[TensorInfo]:
    """Weights of a byte each with a scale for each output, biases of four."""
    if (weight := whole.vector(0, 1, "weight")) is not None and weight.count:
        yield _stored(f"{name}.weight", "I8", _shape(operator, row, weight.count), weight, weight.count)
    for field, part, dtype in ((1, "bias", "I32"), (2, "scale", "F32")):
        if (vector := whole.vector(field, 4, part)) is not None and vector.count:
            yield _stored(f"{name}.{part}", dtype, (vector.count,), vector, vector.count * 4)


def _stored(name: str, dtype: str, shape: tuple[int, ...], vector: Vector, nbytes: int) -> TensorInfo:
    return TensorInfo(name=name, dtype=dtype, shape=shape, nbytes=nbytes, offset=vector.offset)


def _shape(operator: Table, row: Table, count: int) -> tuple[int, ...]:
    """Outputs, inputs, height, width of a convolution where they come to `count`; else so many in a row."""
    common = row.table(0, "common") if operator.number(1, 1, "main type") == _CONVOLUTION else None
    if common is None:
        return (count,)
    outputs, inputs, *kernel = _full(operator, common)
    area = math.prod(kernel)
    if not inputs and outputs * area and count % (outputs * area) == 0:
        inputs = count // (outputs * area)
    shape = (outputs, inputs, *kernel)
    return shape if math.prod(shape) == count else (count,)


def _full(operator: Table, common: Table) -> tuple[int, int, int, int]:
    """The shape that a convolution states; no inputs where it leaves them out."""
    outputs, inputs = common.number(10, 4, "outputCount"), common.number(11, 4, "inputCount")
    width, height = common.number(2, 4, "kernelX", default=1), common.number(3, 4, "kernelY", default=1)
    groups = common.number(9, 4, "group", default=1) or 1
    return outputs, 1 if _kind(operator) in _DEPTHWISE else inputs // groups, height, width


FORMAT = Format(name="mnn", suffixes=(".mnn",), matches=matches, read=read, examine=examine)
