"""Lone ONNX tensors made with onnx: `python -m tools.samples.onnx_tensor OUT`."""

from __future__ import annotations

from tools.samples.onnx import write_tensors
from tools.samples.oracles import main

if __name__ == "__main__":
    main(write_tensors)
