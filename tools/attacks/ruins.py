"""Ruined files of every other format: cut at the head, in the middle and by one byte, and with false headers."""

import bz2
import gzip
import io
import lzma
import pickle
import struct
import zlib

import numpy as np

from tools.attacks.kerases import DENSE, h5, keras, model, weights
from tools.attacks.torches import packed
from tools.attacks.wrapped import sevenzip, tarred


def npy(header: bytes, data: bytes, *, major: int = 1, length: int | None = None) -> bytes:
    padded = header.ljust(117) + b"\n"
    kind = "<H" if major == 1 else "<I"
    return (
        b"\x93NUMPY" + bytes([major, 0]) + struct.pack(kind, len(padded) if length is None else length) + padded + data
    )


HEADER = b"{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }"


def whole_files() -> dict[str, bytes]:
    """Honest files, to be cut."""
    plain, many = io.BytesIO(), io.BytesIO()
    np.save(plain, np.arange(64, dtype=np.float32))
    np.savez(many, a=np.arange(64, dtype=np.float32), b=np.ones(3))
    pickled = pickle.dumps({"weights": list(range(300)), "text": "x" * 300})
    return {
        "a.npy": plain.getvalue(),
        "a.npz": many.getvalue(),
        "a.pkl": pickled,
        "a.pkl.gz": gzip.compress(pickled, mtime=0),
        "a.pkl.bz2": bz2.compress(pickled),
        "a.pkl.xz": lzma.compress(pickled),
        "a.joblib": zlib.compress(pickled),
        "a.tar": tarred({"a.pkl": pickled, "b.pkl": pickled}),
        "a.tar.gz": tarred({"a.pkl": pickled}, mode="w:gz"),
        "a.7z": sevenzip("a.pkl", pickled, compressed=True),
        "b.7z": sevenzip("a.pkl", pickled),
        "a.zip": packed({"a.pkl": pickled}),
        "a.keras": keras(model(DENSE)),
        "a.h5": h5(model(DENSE)),
        "w.h5": weights(),
        "protocol0.pkl": pickle.dumps({"a": [1.5, "x" * 40]}, 0),
    }


def cases() -> dict[str, dict[str, bytes]]:
    found = {}
    for name, content in whole_files().items():
        for place, at in (
            ("in the head", 9),
            ("in the middle", len(content) // 2),
            ("by one", len(content) - 1),
            ("to nothing", 0),
        ):
            found[f"broken/{name} cut {place}"] = {name: content[:at]}
    return found | _numpy() | _sums() | _more()


def _numpy() -> dict[str, dict[str, bytes]]:
    data = bytes(16)
    made = {
        "header not literal": npy(b"{'descr': '<f4', 'fortran_order': bool(), 'shape': (4,), }", data),
        "header not a dict": npy(b"['<f4']", data),
        "header key missing": npy(b"{'descr': '<f4', 'shape': (4,), }", data),
        "header key more": npy(HEADER.replace(b"}", b"'x': 1}"), data),
        "dtype unknown": npy(HEADER.replace(b"<f4", b"<q9"), data),
        "shape negative": npy(HEADER.replace(b"(4,)", b"(-4,)"), data),
        "shape huge": npy(HEADER.replace(b"(4,)", b"(99999999999999,)"), data),
        "data short": npy(HEADER, data[:-1]),
        "data long": npy(HEADER, data + b"x"),
        "version nine": npy(HEADER, data, major=9),
        "length past the end": npy(HEADER, data, length=60000),
        "no data": npy(HEADER, b""),
        "magic wrong": b"\x93NUMPX" + npy(HEADER, data)[6:],
        "header of bombs": npy(b"(" * 110, data),
        "order not boolean": npy(HEADER.replace(b"False", b"'x'  "), data),
    }
    return {f"broken/npy {name}": {"a.npy": content} for name, content in made.items()}


def _sums() -> dict[str, dict[str, bytes]]:
    files = whole_files()
    npz = bytearray(files["a.npz"])
    at = bytes(npz).index(b"NUMPY") + 140
    npz[at] ^= 1
    keras_file = bytearray(files["a.keras"])
    keras_file[bytes(keras_file).index(b"Sequential")] ^= 1
    gz = files["a.pkl.gz"]
    stored = bytearray(files["b.7z"])
    stored[40] ^= 1
    tar = bytearray(files["a.tar"])
    tar[0] ^= 1
    xz = bytearray(files["a.pkl.xz"])
    xz[-20] ^= 1
    made = {
        "a.npz": bytes(npz),
        "a.keras": bytes(keras_file),
        "a.pkl.gz": gz[:-8] + bytes(4) + gz[-4:],
        "length.pkl.gz": gz[:-4] + b"\x01\0\0\0",
        "a.7z": bytes(stored),
        "a.tar": bytes(tar),
        "a.pkl.xz": bytes(xz),
        "a.joblib": files["a.joblib"][:-4] + bytes(4),
        "a.pkl.bz2": files["a.pkl.bz2"][:-6] + bytes(6),
    }
    return {f"broken/sum {name}": {name: content} for name, content in made.items()}


def _more() -> dict[str, dict[str, bytes]]:
    pickles = {
        "get of an unset slot": b"\x80\x02h\x05.",
        "text get of an unset slot": b"g5\n.",
        "stack underflow": b"\x80\x020.",
        "no mark": b"\x80\x02t.",
        "long of many bytes": b"\x80\x02\x8b\xff\xff\xff\x7f.",
        "string longer than the file": b"\x80\x04X\xff\xff\xff\x7fab.",
        "eight byte length": b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fab.",
        "negative length": b"\x80\x02T\xff\xff\xff\xffab.",
        "opcode unknown": b"\x80\x02\xf0.",
        "protocol nine": b"\x80\x09N.",
        "odd set items": b"\x80\x02}(K\x01u.",
        "append to a number": b"\x80\x02K\x01K\x02a.",
        "nothing on the stack": b"\x80\x02.",
        "bad utf-8": b"\x80\x04\x8c\x01\xff.",
        "not a number": b"Ix\n.",
        "bad quotes": b"S'abc\n.",
        "extension zero": b"\x80\x02\x82\x00.",
        "frame past the end": b"\x80\x04\x95\xff\x00\x00\x00\x00\x00\x00\x00N.",
        "next buffer without buffers": b"\x80\x05\x97.",
        "only a mark": b"\x80\x02(.",
        "memo index of two billion": b"\x80\x02K\x01r\xff\xff\xff\x7f.",
    }
    found = {f"broken/pickle {name}": {"a.pkl": content} for name, content in pickles.items()}
    weight = weights()
    superblock = bytearray(weight)
    superblock[8] = 99
    found |= {
        "broken/h5 superblock version": {"a.h5": bytes(superblock)},
        "broken/h5 end of file": {"a.h5": weight[:40] + struct.pack("<Q", 1 << 50) + weight[48:]},
        "broken/h5 zeros": {"a.h5": weight[:96] + bytes(len(weight) - 96)},
        "broken/h5 magic alone": {"a.h5": weight[:8]},
        "broken/h5 configuration not json": {"a.h5": h5("x").replace(b'"x"', b'{"x')},
        "broken/keras without config": {"a.keras": packed({"metadata.json": b"{}", "model.weights.h5": weight})},
        "broken/keras config not json": {
            "a.keras": packed({"metadata.json": b"{}", "config.json": b"{", "model.weights.h5": weight})
        },
        "broken/keras without weights": {
            "a.keras": packed(
                {
                    "metadata.json": b"{}",
                    "config.json": b'{"module": "keras", "class_name": "Sequential", "config": {}}',
                }
            )
        },
        "broken/keras weights cut": {
            "a.keras": packed(
                {
                    "metadata.json": b"{}",
                    "config.json": b'{"module": "keras", "class_name": "Sequential", "config": {}}',
                    "model.weights.h5": weight[:900],
                }
            )
        },
        "broken/zip empty": {"a.zip": b"PK\x05\x06" + bytes(18)},
        "broken/pt empty zip": {"a.pt": b"PK\x05\x06" + bytes(18)},
        "broken/npz empty": {"a.npz": b"PK\x05\x06" + bytes(18)},
        "broken/npz with text": {"a.npz": packed({"a.npy": b"not an array"})},
        "broken/npz member cut": {"a.npz": packed({"a.npy": whole_files()["a.npy"][:-8]})},
        "broken/tflite offsets": {"a.tflite": struct.pack("<I", 1 << 30) + b"TFL3" + bytes(40)},
        "broken/tflite cut": {"a.tflite": struct.pack("<I", 28) + b"TFL3"},
        "broken/tflite zeros": {"a.tflite": struct.pack("<I", 8) + b"TFL3" + b"\xff" * 32},
        "broken/skops schema cut": {"a.skops": packed({"schema.json": b'{"__class__": "dict", '})},
        "broken/skops without schema": {"a.skops": packed({"1.npy": whole_files()["a.npy"]})},
        "broken/nemo cut": {
            "a.nemo": tarred({"./model_config.yaml": b"a: 1\n", "./model_weights.ckpt": bytes(2000)})[:1800]
        },
        "broken/openvino cut": {
            "m.xml": b'<?xml version="1.0"?>\n<net name="m" version="11"><layers><layer id="0"',
            "m.bin": b"",
        },
        "broken/openvino binary gone": {
            "m/m.xml": b'<?xml version="1.0"?>\n<net name="m" version="11"><layers><layer id="0" name="w" type="Const" version="opset1"><data element_type="f32" shape="4" offset="0" size="16"/><output><port id="0" precision="FP32"><dim>4</dim></port></output></layer></layers><edges/></net>\n',  # noqa: E501
            "m/m.bin": bytes(4),
        },
        "broken/flax cut": {"flax_model.msgpack": b"\x81\xa6params\x81\xa1w\xc7\x20\x01"},
        "broken/gz magic alone": {"a.gz": b"\x1f\x8b\x08"},
        "broken/random bytes as gguf": {"a.gguf": bytes(range(256)) * 4},
        "broken/zeros as safetensors": {"a.safetensors": bytes(1000)},
        "broken/random bytes as h5": {"a.h5": bytes(range(1, 256)) * 4},
        "broken/zeros as pt": {"a.pt": bytes(1000)},
        "broken/text as onnx": {"a.onnx": b"hello world, this is no model at all\n"},
        "broken/tf checkpoint index cut": {
            "m/model.ckpt.index": b"\x00" * 40,
            "m/model.ckpt.data-00000-of-00001": bytes(16),
        },
    }
    return found
