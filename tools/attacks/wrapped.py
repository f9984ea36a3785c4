"""Pickles in wrappers, under other suffixes, and in NumPy and joblib files."""

import bz2
import gzip
import io
import lzma
import pickle
import struct
import tarfile
import zlib

import numpy as np

from tools.attacks.opcodes import INERT, before, call, stacked, system, text, whole
from tools.attacks.torches import packed


def tarred(members: dict[str, bytes], *, mode: str = "w") -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode=mode) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return written.getvalue()


def sevenzip(name: str, content: bytes, *, compressed: bool = False) -> bytes:
    """One file in a 7z archive, stored or by LZMA."""
    body, coder = content, b"\x01\x01\x00"
    if compressed:
        body = lzma.compress(
            content, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, "preset": 1, "dict_size": 1 << 20}]
        )
        coder = b"\x01\x23\x03\x01\x01\x05\x5d" + struct.pack("<I", 1 << 20)
    names = name.encode("utf-16-le") + b"\x00\x00"
    header = (
        b"\x01\x04\x06\x00\x01\x09"
        + _number(len(body))
        + b"\x00\x07\x0b\x01\x00"
        + coder
        + b"\x0c"
        + _number(len(content))
    )
    header += b"\x0a\x01" + struct.pack("<I", zlib.crc32(content)) + b"\x00\x00"
    header += b"\x05\x01\x11" + _number(len(names) + 1) + b"\x00" + names + b"\x00\x00"
    start = struct.pack("<QQI", len(body), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + body + header


def _number(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([0x80 | value >> 8, value & 255])


def cases() -> dict[str, dict[str, bytes]]:
    evil = system()
    found = {f"wrapped/{name}": {name: content} for name, content in _wrappers(evil).items()}
    found |= {f"disguised/{suffix}": {f"model.{suffix}": evil} for suffix in DISGUISES.split()}
    found |= {f"unusual/{suffix or 'no suffix'}": {f"model{suffix}": evil} for suffix in (*UNUSUAL.split(), "")}
    return found | _numpy(evil)


DISGUISES = "safetensors gguf onnx json txt md png h5 keras tflite npy npz pb py csv yaml jpg bin parquet model"
UNUSUAL = ".PKL .p .dill .sav .dat .data .mdl .ckpt .pth .joblib .jbl .cloudpickle .pk .pickle.bak .pkl.1 .xyz .ptl .mar .weights"  # noqa: E501


def _wrappers(evil: bytes) -> dict[str, bytes]:
    honest = pickle.dumps({"a": 1})
    link = io.BytesIO()
    with tarfile.open(fileobj=link, mode="w") as archive:
        entry = tarfile.TarInfo("model.pkl")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    return {
        "a.pkl.gz": gzip.compress(evil),
        "two-members.pkl.gz": gzip.compress(honest) + gzip.compress(evil),
        "b.pkl.bz2": bz2.compress(evil),
        "c.pkl.xz": lzma.compress(evil),
        "d.pkl.lzma": lzma.compress(evil, lzma.FORMAT_ALONE),
        "e.pkl.z": zlib.compress(evil),
        "f.zip": packed({"weights/model.pkl": evil}),
        "g.zip": packed({"model.gz": gzip.compress(evil)}),
        "h.tar": tarred({"model.pkl": evil}),
        "i.tar.gz": tarred({"x/model.pkl": evil}, mode="w:gz"),
        "j.tar.xz": tarred({"x/model.bin": evil}, mode="w:xz"),
        "k.tar.bz2": tarred({"model": evil}, mode="w:bz2"),
        "l.7z": sevenzip("model.pkl", evil),
        "m.7z": sevenzip("model.pkl", evil, compressed=True),
        "n.bin": gzip.compress(bz2.compress(lzma.compress(evil))),
        "o.zip": packed({"a.zip": packed({"b.zip": packed({"c.pkl": evil})})}),
        "p.joblib": zlib.compress(evil, 3),
        "q.pkl": gzip.compress(evil),
        "r.tar": tarred({"../../model.txt": b"x"}),
        "s.tar": link.getvalue(),
        "t.zip": packed({"../../evil.txt": b"x"}),
        "u.zip": packed({"/etc/cron.d/evil": b"x"}),
        "v.zip": packed({"..\\..\\evil.txt": b"x"}),
        "w.tar": tarred({"a.txt": b"x"}) + evil,
        "x.gz": gzip.compress(honest) + evil,
    }


def _numpy(evil: bytes) -> dict[str, dict[str, bytes]]:
    objects = io.BytesIO()
    np.save(objects, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    plain = objects.getvalue()
    cut = plain.index(b"\n") + 1
    hostile = plain[:cut] + evil
    import_header = _npy("__import__('os').system('true')")
    return {
        "numpy/object array": {"a.npy": hostile},
        "numpy/object array before": {"a.npy": plain[:cut] + before(plain[cut:])},
        "numpy/object in npz": {"a.npz": packed({"w.npy": hostile})},
        "numpy/bare pickle as npy": {"a.npy": evil},
        "numpy/bare pickle in npz": {"a.npz": packed({"w.npy": evil})},
        "numpy/pickle without suffix in npz": {"a.npz": packed({"w": evil})},
        "numpy/structured object field": {
            "a.npy": _npy("{'descr': [('a', '<f4'), ('b', [('c', '|O')])], 'fortran_order': False, 'shape': (1,), }")
            + evil
        },
        "numpy/object after an honest array": {"a.npy": _honest_npy() + hostile},
        "numpy/pickle after an honest array": {"a.npy": _honest_npy() + evil},
        "numpy/joblib with an array then a shell": {"m.joblib": _joblib_then(evil)},
        "ruined/header that is code": {"a.npy": import_header},
    }


def _honest_npy() -> bytes:
    written = io.BytesIO()
    np.save(written, np.arange(4, dtype=np.float32))
    return written.getvalue()


def _npy(header: str) -> bytes:
    padded = header.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(padded)) + padded.encode()


def _joblib_then(evil: bytes) -> bytes:
    import joblib

    written = io.BytesIO()
    joblib.dump({"a": np.arange(8, dtype=np.float32), "b": 0.5}, written)
    content = written.getvalue()
    return content[:-1] + b"0" + call(stacked("posix", "system"), text(INERT)) + b"." if evil else whole(b"N")
