"""safetensors files: ruined headers and what hides in them."""

import json
import struct

from tools.attacks.opcodes import system
from tools.attacks.torches import packed

W = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}


def raw(header: bytes, data: bytes = bytes(16), *, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def safetensors(header: object, data: bytes = bytes(16)) -> bytes:
    return raw(json.dumps(header).encode(), data)


def cases() -> dict[str, dict[str, bytes]]:
    found = {
        f"broken/safetensors {name}": {"model.safetensors": content}
        for name, content in {**_headers(), **_texts()}.items()
    }
    hidden = system()
    gap = {"a": {**W, "data_offsets": [0, 16]}, "b": {**W, "data_offsets": [16 + len(hidden), 32 + len(hidden)]}}
    return found | {
        "safetensors/pickle in a hole": {"model.safetensors": safetensors(gap, bytes(16) + hidden + bytes(16))},
        "safetensors/pickle at the end": {"model.safetensors": safetensors({"a": W}) + hidden},
        "safetensors/zip at the end": {
            "model.safetensors": safetensors({"a": W}) + packed({"archive/data.pkl": hidden, "archive/version": b"3\n"})
        },
        "safetensors/pickle before": {"model.safetensors": hidden + safetensors({"a": W})},
    }


def _headers() -> dict[str, bytes]:
    plain = safetensors({"a": W})
    with_b = {"a": W, "b": {**W, "data_offsets": [16, 32]}}
    return {
        "cut in the length": plain[:5],
        "cut in the header": plain[:30],
        "cut in the data": plain[:-8],
        "cut by one": plain[:-1],
        "trailing bytes": plain + b"x",
        "trailing zeros": plain + bytes(64),
        "empty": b"",
        "length of zero": raw(b"", b"", length=0),
        "length past the end": raw(b"{}", b"", length=1 << 20),
        "length of an exabyte": raw(b"{}", b"", length=1 << 60),
        "length all ones": raw(b"{}", b"", length=(1 << 64) - 1),
        "header too long": raw(b"{}".ljust(100_000_001), b""),
        "dtype unknown": safetensors({"a": {**W, "dtype": "F31"}}),
        "dtype of lower case": safetensors({"a": {**W, "dtype": "f32"}}),
        "shape negative": safetensors({"a": {**W, "shape": [-2, -2]}}),
        "shape of floats": safetensors({"a": {**W, "shape": [2.0, 2]}}),
        "shape overflows": safetensors({"a": {**W, "shape": [1 << 62, 8]}}),
        "shape of a string": safetensors({"a": {**W, "shape": "2,2"}}),
        "shape does not fit": safetensors({"a": {**W, "shape": [2, 3]}}),
        "offsets reversed": safetensors({"a": {**W, "data_offsets": [16, 0]}}),
        "offsets negative": safetensors({"a": {**W, "data_offsets": [-16, 0]}}),
        "offsets outside": safetensors({"a": {**W, "data_offsets": [16, 32]}}),
        "offsets of one": safetensors({"a": {**W, "data_offsets": [16]}}),
        "offsets of strings": safetensors({"a": {**W, "data_offsets": ["0", "16"]}}),
        "overlap": safetensors({"a": W, "b": W}),
        "partial overlap": safetensors({"a": W, "b": {**W, "data_offsets": [8, 24]}}, bytes(24)),
        "hole": safetensors({"a": W, "b": {**W, "data_offsets": [20, 36]}}, bytes(36)),
        "second tensor cut": safetensors(with_b, bytes(30)),
        "hole at the beginning": safetensors({"a": {**W, "data_offsets": [4, 20]}}, bytes(20)),
        "metadata of numbers": safetensors({"__metadata__": {"a": 1}, "a": W}),
        "metadata a list": safetensors({"__metadata__": [], "a": W}),
        "missing dtype": safetensors({"a": {"shape": [2, 2], "data_offsets": [0, 16]}}),
        "unknown key": safetensors({"a": {**W, "more": 1}}),
        "tensor a list": safetensors({"a": [1, 2]}),
        "header a list": safetensors([W]),
        "boolean offsets": safetensors({"a": {**W, "data_offsets": [False, 16]}}),
    }


def _texts() -> dict[str, bytes]:
    one = json.dumps(W)
    return {
        "duplicate name": raw(f'{{"a": {one}, "a": {one}}}'.encode()),
        "duplicate key": raw(b'{"a": {"dtype": "F32", "dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}'),
        "duplicate by escape": raw(f'{{"a": {one}, "\\u0061": {one}}}'.encode()),
        "not json": raw(b"{a: 1}"),
        "not utf-8": raw(b'{"\xff": ' + one.encode() + b"}"),
        "leading spaces": raw(b"  " + f'{{"a": {one}}}'.encode()),
        "byte order mark": raw(b"\xef\xbb\xbf" + f'{{"a": {one}}}'.encode()),
        "trailing comma": raw(f'{{"a": {one},}}'.encode()),
        "comment": raw(f'{{"a": {one} /* x */}}'.encode()),
        "two objects": raw(f'{{"a": {one}}}{{}}'.encode()),
        "deep json": raw(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        "long digits": raw(b'{"a": {"dtype": "F32", "shape": [' + b"9" * 5000 + b'], "data_offsets": [0, 16]}}'),
        "nan": raw(b'{"a": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 16]}}'),
        "exponent": raw(b'{"a": {"dtype": "F32", "shape": [2e0, 2], "data_offsets": [0, 16]}}'),
        "header cut inside": raw(f'{{"a": {one}'.encode()),
        "null header": raw(bytes(64)),
    }
