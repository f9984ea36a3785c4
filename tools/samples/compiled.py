"""Beginnings of compiled models by hand, for their tools want the hardware: `python -m tools.samples.compiled OUT`."""

from __future__ import annotations

import json
import struct
from pathlib import Path

from tools.samples.oracles import main, note


def write(folder: Path) -> None:
    """TensorRT engines, bare and as Ultralytics writes them; RKNN models of two versions, and an encrypted one."""
    engine = b"ftrt" + struct.pack("<I", 232) + bytes(range(200))
    save(folder / "tensorrt" / "bare.engine", "tensorrt", engine)
    table = json.dumps({"description": "Ultralytics YOLO model", "task": "detect", "stride": 32}).encode()
    save(folder / "tensorrt" / "yolo.engine", "tensorrt", struct.pack("<I", len(table)) + table + engine)
    told = {"target_platform": ["rk3588"], "network_platform": "ONNX", "version": "1.6.0", "nodes": [{}, {}]}
    table = json.dumps(told).encode()
    body = bytes(50) + struct.pack("<Q", len(table)) + table
    save(folder / "rknn" / "six.rknn", "rknn", b"RKNN" + bytes(4) + struct.pack("<QQ", 6, 50) + bytes(40) + body)
    save(folder / "rknn" / "one.rknn", "rknn", b"RKNN" + bytes(4) + struct.pack("<QQ", 1, 50) + body)
    save(folder / "rknn" / "closed.rknn", "rknn", b"CYPTRKNN" + bytes(range(100)))


def save(path: Path, format: str, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    note(path, format)


if __name__ == "__main__":
    main(write)
