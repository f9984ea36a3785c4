"""Caffe: a network with its weights in binary protobuf, or without them as text.

Field numbers are those of https://github.com/BVLC/caffe/blob/master/src/caffe/proto/caffe.proto.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice

from weigh.codecs import prototext
from weigh.codecs.protobuf import Message, Span, Wire
from weigh.codecs.protobuf_shape import Kind, first, fits
from weigh.core.errors import FormatError, Malformed
from weigh.core.format import Format
from weigh.core.header import Header, Meta, Problem
from weigh.core.observation import Observation
from weigh.core.saying import Saying
from weigh.core.source import Source
from weigh.core.tensors import TensorInfo

MOST_DIMENSIONS = 32  # Caffe's own bound
MOST_LISTED = 256

_NET: Mapping[int, Kind] = {
    1: "text",  # name
    2: "message",  # layers, before 2014
    3: "text",  # input
    4: "varints",  # input_dim
    5: "varint",  # force_backward
    6: "message",  # state
    7: "varint",  # debug_info
    8: "message",  # input_shape
    100: "message",  # layer
}
_LAYER: Mapping[int, Kind] = {
    1: "text",  # name
    2: "text",  # type
    3: "text",  # bottom
    4: "text",  # top
    5: "floats",  # loss_weight
    6: "message",  # param
    7: "message",  # blobs
    8: "message",  # include
    9: "message",  # exclude
    10: "varint",  # phase
    11: "varints",  # propagate_down
    **dict.fromkeys(range(100, 1000), "message"),  # what each type of layer is told
}
_OLD_LAYER: Mapping[int, Kind] = {
    **dict.fromkeys(range(9, 100), "message"),
    1: "message",  # layer, older still
    2: "text",  # bottom
    3: "text",  # top
    4: "text",  # name
    5: "varint",  # type
    6: "message",  # blobs
    7: "floats",  # blobs_lr
    8: "floats",  # weight_decay
    35: "floats",  # loss_weight
    1001: "text",  # param
    1002: "varints",  # blob_share_mode
}
_OLDEST_LAYER: Mapping[int, Kind] = {
    **dict.fromkeys((1, 2, 16, 1002, 1003), "text"),  # name, type, source
    **dict.fromkeys(range(3, 100), "numbers"),
    16: "text",
    50: "message",  # blobs
}
_BLOB: Mapping[int, Kind] = {
    **dict.fromkeys((1, 2, 3, 4), "varint"),  # num, channels, height, width
    **dict.fromkeys((5, 6), "floats"),  # data, diff
    **dict.fromkeys((8, 9), "doubles"),  # double_data, double_diff
    7: "message",  # shape
}
_TEXT_NAMES = frozenset(
    ["name", "input", "input_dim", "input_shape", "layer", "layers", "state", "force_backward", "debug_info"]
)
# The types of layers as they were numbered before they had names.
_OLD_TYPES = dict(
    enumerate(
        [
            "None",
            "Accuracy",
            "BNLL",
            "Concat",
            "Convolution",
            "Data",
            "Dropout",
            "EuclideanLoss",
            "Flatten",
            "HDF5Data",
            "HDF5Output",
            "Im2Col",
            "ImageData",
            "InfogainLoss",
            "InnerProduct",
            "LRN",
            "MultinomialLogisticLoss",
            "Pooling",
            "ReLU",
            "Sigmoid",
            "Softmax",
            "SoftmaxWithLoss",
            "Split",
            "TanH",
            "WindowData",
            "Eltwise",
            "Power",
            "SigmoidCrossEntropyLoss",
            "HingeLoss",
            "MemoryData",
            "ArgMax",
            "Threshold",
            "DummyData",
            "Slice",
            "MVN",
            "AbsVal",
            "Silence",
            "ContrastiveLoss",
            "Exp",
            "Deconvolution",
        ]
    )
)

_Layer = tuple[str, str, list[Message]]  # name, type, blobs


def matches(source: Source) -> bool:
    """Fields of a network only and a first layer that is one; or text of the same; or one blob that fills its shape."""
    head = source.read(0, 1)
    if not head:
        return False
    wire, whole = Wire(source), (0, source.size)
    if head in b"\x0a\x12\x1a\x22\xa2" and _is_net(wire, whole):
        return True
    if head in b"\x08\x2a\x3a" and _is_blob(wire, whole):
        return True
    return head.isascii() and _is_text(source)


def _is_net(wire: Wire, whole: Span) -> bool:
    seen = fits(wire, whole, _NET)
    if seen is None or not seen <= _NET.keys():
        return False
    layer, old = first(wire, whole, 100), first(wire, whole, 2)
    if layer is not None:
        return {1, 2} <= (fits(wire, layer, _LAYER) or frozenset())
    if old is None:
        return False
    told = fits(wire, old, _OLD_LAYER) or frozenset()
    inner = first(wire, old, 1)
    if inner is not None:
        return {1, 2} <= (fits(wire, inner, _OLDEST_LAYER) or frozenset())
    return {4, 5} <= told


def _is_blob(wire: Wire, whole: Span) -> bool:
    if not {5} <= (fits(wire, whole, _BLOB) or frozenset()):
        return False
    try:
        blob = wire.message(whole)
        info = _tensor(blob, "")
    except FormatError:
        return False
    return info.nbytes == 4 * info.num_elements > 0


def _is_text(source: Source) -> bool:
    fields = prototext.head(source, _TEXT_NAMES)
    if fields is None:
        return False
    layers = [*prototext.messages(fields, "layer"), *prototext.messages(fields, "layers")]
    return bool(layers) and {"name", "type"} <= {name for name, _ in layers[0]}


def read(source: Source) -> Header:
    """Layers counted by type, and their blobs. Raises FormatError."""
    if source.read(0, 1).isascii() and _is_text(source):
        return _read_text(source)
    wire = Wire(source)
    whole = wire.whole()
    if not _is_net(wire, whole.span) and _is_blob(wire, whole.span):
        return Header(format="caffe", metadata={"part": "blob"}, tensors=(_tensor(whole, ""),))
    types: Counter[str] = Counter()
    tensors: list[TensorInfo] = []
    problems: list[Problem] = []
    for name, kind, blobs in _layers(whole):
        types[kind] += 1
        for number, blob in enumerate(blobs):
            tensors.append(_tensor(blob, f"{name}.{number}"))
            problems += _problems(tensors[-1])
    metadata: dict[str, Meta] = {
        "name": whole.text(1),
        "inputs": tuple(islice(whole.texts(3), MOST_LISTED)),
        "operators": dict(types.most_common()),
    }
    return Header(
        format="caffe",
        version="2" if 100 in whole else "1",
        metadata={key: value for key, value in metadata.items() if value},
        tensors=tuple(tensors),
        problems=tuple(problems[:100]),
    )


def examine(source: Source, header: Header) -> Iterator[Observation]:
    """Each type of layer; a layer written in Python names the module and class it runs."""
    types = header.metadata.get("operators")
    for kind in types if isinstance(types, Mapping) else ():
        yield Observation(kind="operator", value=kind)
    if header.metadata.get("encoding") == "text":
        for text in prototext.messages(prototext.parse(source), "layer"):
            for told in prototext.messages(text, "python_param"):
                module, name = prototext.text_of(told, "module"), prototext.text_of(told, "layer")
                yield Observation(kind="code", value=f"{module} {name}", where=prototext.text_of(text, "name"))
    elif "part" not in header.metadata:
        for layer in Wire(source).whole().messages(100):
            for one in layer.messages(130):  # python_param
                where = layer.text(1)
                yield Observation(kind="code", value=f"{one.text(1)} {one.text(2)}", where=where, offset=one.span[0])


def _layers(net: Message) -> Iterator[_Layer]:
    for layer in net.messages(100):
        yield layer.text(1) or "", layer.text(2) or "", list(layer.messages(7))
    for layer in net.messages(2):
        oldest = layer.message(1)
        if oldest is not None:
            blobs = list(layer.messages(6)) or list(oldest.messages(50))
            yield oldest.text(1) or "", oldest.text(2) or "", blobs
        else:
            number = layer.unsigned(5) or 0
            yield layer.text(4) or "", _OLD_TYPES.get(number, str(number)), list(layer.messages(6))


def _tensor(blob: Message, name: str) -> TensorInfo:
    shape = blob.message(7)
    lengths = shape.wholes(1) if shape is not None else [blob.whole(number) or 0 for number in (1, 2, 3, 4)]
    if shape is None and not blob.numbers & {1, 2, 3, 4}:
        lengths = []
    if (
        len(lengths) > MOST_DIMENSIONS
        or any(not 0 <= one < 1 << 31 for one in lengths)
        or math.prod(lengths) >= 1 << 63
    ):
        raise Malformed("tensor_shape", path=blob.wire.source.path, offset=blob.span[0], name=name)
    double = 8 in blob and 5 not in blob
    offset, nbytes = blob.stored(8 if double else 5) or (None, 0)
    dtype = "F64" if double else "F32"
    return TensorInfo(name=name, dtype=dtype, shape=tuple(lengths), nbytes=nbytes, offset=offset)


def _problems(tensor: TensorInfo) -> Iterator[Problem]:
    needed = tensor.num_elements * (8 if tensor.dtype == "F64" else 4)
    if tensor.nbytes and tensor.nbytes != needed:
        detail = Saying("problem.span", name=tensor.name, nbytes=tensor.nbytes, needed=needed)
        yield Problem(kind="malformed", detail=detail, offset=tensor.offset)


def _read_text(source: Source) -> Header:
    fields = prototext.parse(source)
    layers = [*prototext.messages(fields, "layer"), *prototext.messages(fields, "layers")]
    types = Counter(prototext.text_of(layer, "type") or "" for layer in layers)
    metadata: dict[str, Meta] = {
        "encoding": "text",
        "name": prototext.text_of(fields, "name"),
        "inputs": tuple(islice(prototext.texts(fields, "input"), MOST_LISTED)),
        "operators": dict(types.most_common()),
    }
    return Header(format="caffe", metadata={key: value for key, value in metadata.items() if value})


FORMAT = Format(
    name="caffe",
    suffixes=(".caffemodel", ".prototxt", ".binaryproto"),
    matches=matches,
    read=read,
    examine=examine,
)
