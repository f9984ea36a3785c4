"""Caffe's files by hand from caffe.proto, for no wheel of it installs: `python -m tools.samples.caffe OUT`."""

from __future__ import annotations

from pathlib import Path

from tools.samples.oracles import main, note
from tools.samples.wire import field, floats, varint

TEXT = """name: "LeNet"  # a comment
input: "data"
input_shape { dim: 1 dim: 1 dim: 28 dim: 28 }
layer {
  name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  param { lr_mult: 1 }
  convolution_param { num_output: 2 kernel_size: 3 weight_filler { type: "xavier" } }
}
layer { name: 'relu1' type: 'ReLU' bottom: "conv1" top: "conv1" }
"""


def write(folder: Path) -> None:
    """Networks of each generation, one as text, and a mean image."""
    named = {"operators": ["Convolution", "ReLU"]}
    tensors = [("conv1.0", "F32", [2, 1, 3, 3]), ("conv1.1", "F32", [2])]
    weights = field(5, floats(*[0.5] * 18)) + field(7, field(1, b"".join(map(varint, (2, 1, 3, 3)))))
    bias = field(5, floats(0.0, 0.0)) + field(7, field(1, varint(2)))
    conv = field(1, "conv1") + field(2, "Convolution") + field(3, "data") + field(4, "conv1")
    conv += field(7, weights) + field(7, bias) + field(10, 1) + field(106, field(1, 2))
    relu = field(1, "relu1") + field(2, "ReLU") + field(3, "conv1") + field(4, "conv1")
    save(folder / "lenet.caffemodel", field(1, "LeNet") + field(100, conv) + field(100, relu), tensors, **named)

    old = b"".join(field(number, length) for number, length in ((1, 2), (2, 1), (3, 3), (4, 3)))
    old += b"".join(varint(5 << 3 | 5) + floats(0.5) for _ in range(18))  # not packed, as some wrote it
    flat = field(1, 1) + field(2, 1) + field(3, 1) + field(4, 2) + field(5, floats(0.0, 0.0))
    conv = field(2, "data") + field(3, "conv1") + field(4, "conv1") + field(5, 4) + field(6, old) + field(6, flat)
    relu = field(2, "conv1") + field(3, "conv1") + field(4, "relu1") + field(5, 18)
    shapes = [tensors[0], ("conv1.1", "F32", [1, 1, 1, 2])]
    data = field(1, "LeNet") + field(2, conv) + field(2, relu) + field(3, "data") + field(4, 1) + field(4, 28)
    save(folder / "v1.caffemodel", data, shapes, **named)

    mean = field(1, 1) + field(2, 3) + field(3, 2) + field(4, 2) + field(5, floats(*range(12)))
    save(folder / "mean.binaryproto", mean, [("", "F32", [1, 3, 2, 2])])
    save(folder / "lenet.prototxt", TEXT.encode(), [], **named)


def save(path: Path, data: bytes, tensors: list[tuple[str, str, list[int]]], **said: object) -> None:
    path.write_bytes(data)
    note(path, "caffe", tensors, **said)


if __name__ == "__main__":
    main(write)
