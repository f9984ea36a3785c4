"""The weights of Core ML's neural network layers, each in a message of its own kind.

Field numbers are those of https://github.com/apple/coremltools/blob/main/mlmodel/format/NeuralNetwork.proto.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from weigh.codecs.protobuf import Message
from weigh.core.tensors import TensorInfo

_Rule = tuple[tuple[int, ...], str, tuple[int, ...]]  # the way to the weights, what to call them, where the shape is

_GATES = ("input", "forget", "block", "output")
_LSTM: tuple[_Rule, ...] = (
    *(((20, 1 + one), f"{gate}.weights", ()) for one, gate in enumerate(_GATES)),
    *(((20, 20 + one), f"{gate}.recursion", ()) for one, gate in enumerate(_GATES)),
    *(((20, 40 + one), f"{gate}.bias", ()) for one, gate in enumerate(_GATES)),
    *(((20, 60 + one), f"peephole.{one}", ()) for one in range(3)),
)
_RULES: dict[int, tuple[_Rule, ...]] = {
    100: (((90,), "weights", (1, 2, 20)), ((91,), "bias", (1,))),  # convolution
    130: (((25, 1), "alpha", ()), ((71, 1), "alpha", ()), ((71, 2), "beta", ())),  # activation
    140: (((20,), "weights", (2, 1)), ((21,), "bias", (2,))),  # innerProduct
    150: (((20,), "weights", (2, 1)), ((21,), "bias", (2,))),  # embedding
    160: (((15,), "gamma", (1,)), ((16,), "beta", (1,)), ((17,), "mean", (1,)), ((18,), "variance", (1,))),  # batchnorm
    245: (((2,), "scale", (1,)), ((5,), "bias", (4,))),  # scale
    250: (((2,), "bias", (1,)),),  # bias
    290: (((2,), "data", (1,)),),  # loadConstant
    400: (((30,), "weights", (2, 1)), ((31,), "recursion", (2, 2)), ((32,), "bias", (2,))),  # simpleRecurrent
    410: tuple(  # gru
        ((base + one,), f"{gate}.{kind}", shape)
        for base, kind, shape in ((30, "weights", (2, 1)), (50, "recursion", (2, 2)), (70, "bias", (2,)))
        for one, gate in enumerate(("update", "reset", "output"))
    ),
    420: _LSTM,  # uniDirectionalLSTM
    430: _LSTM,  # biDirectionalLSTM
    500: (((20,), "weights", ()),),  # custom
    1040: (((20,), "weights", (2, 1)), ((21,), "bias", (2,))),  # embeddingND
    1045: (((8,), "weights", (5, 6)), ((9,), "bias", (6,))),  # batchedMatmul
    1070: (((2,), "data", (1,)),),  # loadConstantND
    1350: (((3,), "gamma", (1,)), ((4,), "beta", (1,))),  # layerNormalization
    1471: (((60,), "weights", (1, 2, 20, 21, 22)), ((61,), "bias", (1,))),  # convolution3d
}
_BY_BITS = {1: "U8", 2: "U2", 4: "U4", 8: "U8"}


def weights_of(layer: Message, kind: int, name: str) -> Iterator[TensorInfo]:
    """The weights of one layer; their shape where the layer tells it, else how many there are."""
    for told in layer.messages(kind):
        for way, what, shape in _RULES.get(kind, ()):
            holders = [told]
            for step in way:
                holders = [inner for holder in holders for inner in holder.messages(step)]
            lengths = tuple(length for number in shape for length in told.wholes(number))
            for number, weights in enumerate(holders):
                label = f"{name}.{what}" if number == 0 else f"{name}.{what}.{number}"
                if (tensor := _tensor(weights, label, lengths)) is not None:
                    yield tensor


def _tensor(weights: Message, name: str, shape: tuple[int, ...]) -> TensorInfo | None:
    """WeightParams: floats, halves, or integers of so many bits."""
    for field, bits, dtype in ((1, 32, "F32"), (2, 16, "F16"), (31, 8, "I8"), (30, 0, "")):
        stored = weights.stored(field)
        if stored is None or not stored[1]:
            continue
        if not bits:
            packing = weights.message(40)
            bits = (packing.unsigned(1) if packing is not None else None) or 8
            dtype = _BY_BITS.get(bits, "U8")
            bits = bits if bits in (2, 4, 8) else 8
        count = stored[1] * 8 // bits
        fitting = shape if shape and min(shape) >= 0 and 0 <= count - math.prod(shape) < 8 // min(bits, 8) else (count,)
        return TensorInfo(name=name, dtype=dtype, shape=fitting, nbytes=stored[1], offset=stored[0])
    return None
