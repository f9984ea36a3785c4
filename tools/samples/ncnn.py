"""ncnn's networks by hand, loaded by ncnn 1.0.20261020 where it reads them: `python -m tools.samples.ncnn OUT`."""

from __future__ import annotations

import struct
from pathlib import Path

import ncnn

from tools.samples.oracles import main, note

TEXT = """7767517
4 4
Input            data     0 1 data 0=8 1=8 2=3
Convolution      conv1    1 1 data conv1 0=4 1=3 6=108 -23310=2,1.0,2.0
ReLU             relu1    1 1 conv1 relu1
InnerProduct     fc       1 1 relu1 fc 0=10 1=1 2=1440
"""
PNNX = """7767517
3 2
pnnx.Input               pnnx_input_0             0 1 0 #0=(1,3,8,8)f32
nn.Conv2d                conv                     1 1 0 1 bias=True in_channels=3 @bias=(4)f32 @weight=(4,3,3,3)f16
pnnx.Output              pnnx_output_0            1 0 1
"""
NUMBERS = [7767517, 2, 2, 16, 0, 1, 0, 0, 8, -233, 6, 1, 1, 0, 1, 0, 4, -23310, 2, 1, 2, -233]


def write(folder: Path) -> None:
    """As text, as numbers, and as PNNX writes it."""
    path = folder / "small.param"
    path.write_text(TEXT, "utf-8")
    net = ncnn.Net()
    assert net.load_param(str(path)) == 0
    types = [layer.type for layer in net.layers()]
    note(path, "ncnn", operators=sorted(set(types)), blobs=len(net.blobs()))
    path = folder / "small.pnnx.param"
    path.write_text(PNNX, "utf-8")
    tensors = [("conv.bias", "F32", [4]), ("conv.weight", "F16", [4, 3, 3, 3])]
    note(path, "ncnn", tensors, operators=["nn.Conv2d", "pnnx.Input", "pnnx.Output"], blobs=2)
    path = folder / "small.param.bin"
    path.write_bytes(struct.pack(f"<{len(NUMBERS)}i", *NUMBERS))
    note(path, "ncnn", blobs=2)


if __name__ == "__main__":
    main(write)
