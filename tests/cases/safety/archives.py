"""torch.save's zip with something amiss, and safetensors with something inside."""

from __future__ import annotations

import io
import json
import struct
import zipfile

from tests.cases.safety import Case
from tests.cases.safety.pickles import SYSTEM, name, text, whole

DATA = whole(
    b"}" + text("w")
    + name("torch._utils", "_rebuild_tensor_v2") + b"(("
    + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu") + b"K\x04tQK\x00K\x04\x85K\x01\x85\x89"
    + name("collections", "OrderedDict") + b")RtRs",
    2,
)  # fmt: skip
EVIL = whole(SYSTEM, 2)
FLOATS = struct.pack("<4f", 1, 2, 3, 4)


def torch_zip(
    data: bytes = DATA, *, root: str = "archive", more: tuple[tuple[str, bytes], ...] = (), leave: str = ""
) -> bytes:
    """What torch.save writes, plus `more` members, without the one called `leave`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in (("data.pkl", data), ("byteorder", b"little"), ("data/0", FLOATS), ("version", b"3\n")):
            if path != leave:
                archive.writestr(zipfile.ZipInfo(f"{root}/{path}"), content)
        for path, content in more:
            archive.writestr(zipfile.ZipInfo(path), content)
    return buffer.getvalue()


def patched(data: bytes, path: str, *, local: dict[int, bytes] = {}, central: dict[int, bytes] = {}) -> bytes:  # noqa: B006
    """The local or central header of a member overwritten at these places."""
    raw = bytearray(data)
    at_local = data.index(b"PK\x03\x04" + data[4:4], 0)
    at_local = data.index(path.encode()) - 30
    at_central = data.rindex(path.encode()) - 46
    for start, changes in ((at_local, local), (at_central, central)):
        for place, new in changes.items():
            raw[start + place : start + place + len(new)] = new
    return bytes(raw)


def _doubled() -> bytes:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch_zip(more=(("archive/data.pkl", EVIL),))


def _tensors(header: dict[str, object] | bytes, body: bytes, *, length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    return struct.pack("<Q", len(raw) if length is None else length) + raw + body


def _tensor(begin: int, end: int, shape: list[int], dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def _pt(title: str, verdict: str, make: object, path: str = "model.pt") -> Case:
    return Case(f"torch {title}", verdict, lambda: {path: make() if callable(make) else make})  # type: ignore[dict-item]


def _st(title: str, verdict: str, data: bytes) -> Case:
    return Case(f"safetensors {title}", verdict, lambda: {"model.safetensors": data})


_ZEROS = bytes(16)
CASES = (
    _pt("plain", "clean", torch_zip),
    _pt("under another root", "clean", lambda: torch_zip(root="epoch=3-step=10")),
    _pt("called model.bin", "clean", torch_zip, "pytorch_model.bin"),
    _pt("command in data.pkl", "malicious", lambda: torch_zip(EVIL)),
    _pt("command in a second pickle", "malicious", lambda: torch_zip(more=(("archive/extra.pkl", EVIL),))),
    _pt("command in a member of no suffix", "malicious", lambda: torch_zip(more=(("archive/data/1", EVIL),))),
    _pt("command under another root", "malicious", lambda: torch_zip(more=(("other/data.pkl", EVIL),))),
    _pt("data.pkl twice", "malicious", _doubled),
    _pt("flag of encryption", "malicious", lambda: patched(torch_zip(EVIL), "archive/data.pkl", local={6: b"\x01\0"}, central={8: b"\x01\0"})),
    _pt("flag of encryption centrally", "malicious", lambda: patched(torch_zip(EVIL), "archive/data.pkl", central={8: b"\x01\0"})),
    _pt("flag of patches", "malicious", lambda: patched(torch_zip(EVIL), "archive/data.pkl", local={6: b"\x20\0"}, central={8: b"\x20\0"})),
    _pt("two names of one member", "malicious", lambda: patched(torch_zip(EVIL), "archive/data.pkl", local={30: b"archive/datb.pkl"})),
    _pt("wrong CRC on a command", "malicious", lambda: patched(torch_zip(EVIL), "archive/data.pkl", local={14: b"\1\2\3\4"}, central={16: b"\1\2\3\4"})),
    _pt("wrong CRC", "broken|suspicious", lambda: patched(torch_zip(), "archive/data.pkl", local={14: b"\1\2\3\4"}, central={16: b"\1\2\3\4"})),
    _pt("two sizes of one member", "broken|suspicious", lambda: patched(torch_zip(), "archive/data.pkl", local={22: b"\x05\0\0\0"})),
    _pt("two methods of one member", "broken|suspicious", lambda: patched(torch_zip(), "archive/data.pkl", local={8: b"\x08\0"})),
    _pt("unknown method", "broken|incomplete", lambda: patched(torch_zip(), "archive/data.pkl", local={8: b"\x63\0"}, central={10: b"\x63\0"})),
    _pt("without data.pkl", "broken|incomplete", lambda: torch_zip(leave="data.pkl")),
    _pt("without a storage", "broken", lambda: torch_zip(leave="data/0")),
    _pt("storage too short", "broken", lambda: torch_zip(DATA.replace(b"K\x00K\x04\x85", b"K\x00K\x40\x85"))),
    _pt("offset beyond the storage", "broken", lambda: torch_zip(DATA.replace(b"QK\x00K\x04", b"QK\xffK\x04"))),
    _pt("cut short", "broken", lambda: torch_zip()[:-40]),
    _pt("cut in half", "broken", lambda: torch_zip()[:200]),
    _pt("pickle before it", "malicious", lambda: EVIL + torch_zip()),
    _pt("pickle behind it", "malicious|suspicious|broken", lambda: torch_zip() + EVIL),
    _pt("TorchScript that saves", "malicious|suspicious", lambda: torch_zip(more=(("archive/constants.pkl", whole(b")", 2)), ("archive/code/__torch__.py", b"def forward(self, x: Tensor) -> Tensor:\n  _0 = torch.save(x, \"/tmp/x\")\n  return x\n")))),
    _pt("TorchScript that reads a file", "malicious|suspicious", lambda: torch_zip(more=(("archive/constants.pkl", whole(b")", 2)), ("archive/code/__torch__.py", b"def forward(self, x: Tensor) -> Tensor:\n  return torch.from_file(\"/etc/passwd\", False, 10)\n")))),
    _pt("TorchScript plain", "clean", lambda: torch_zip(more=(("archive/constants.pkl", whole(b")", 2)), ("archive/code/__torch__.py", b"def forward(self, x: Tensor) -> Tensor:\n  return torch.add(x, 1)\n")))),
    _pt("empty zip", "broken|incomplete", b"PK\x05\x06" + bytes(18)),
    _pt("legacy with a command", "malicious", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}." + EVIL + b"\x80\x02]."),
    _st("plain", "clean", _tensors({"w": _tensor(0, 16, [4])}, _ZEROS)),
    _st("with notes of training", "clean", _tensors({"__metadata__": {"ss_training_comment": "os.system eval exec; import os", "format": "pt"}, "w": _tensor(0, 16, [4])}, _ZEROS)),
    _st("pickle in a hole", "malicious|broken|suspicious", _tensors({"w": _tensor(0, 16, [4]), "v": _tensor(16 + len(EVIL), 32 + len(EVIL), [4])}, _ZEROS + EVIL + _ZEROS)),
    _st("pickle behind", "malicious|broken|suspicious", _tensors({"w": _tensor(0, 16, [4])}, _ZEROS + EVIL)),
    _st("zip behind", "malicious|broken|suspicious", _tensors({"w": _tensor(0, 16, [4])}, _ZEROS + torch_zip(EVIL))),
    _st("executable behind", "malicious|broken|suspicious", _tensors({"w": _tensor(0, 16, [4])}, _ZEROS + b"\x7fELF\x02\x01\x01" + bytes(200))),
    _st("overlap", "broken", _tensors({"w": _tensor(0, 16, [4]), "v": _tensor(8, 24, [4])}, bytes(24))),
    _st("truncated", "broken", _tensors({"w": _tensor(0, 16, [4])}, bytes(9))),
    _st("key twice", "broken", _tensors(b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}', _ZEROS)),
    _st("unknown dtype", "broken", _tensors({"w": _tensor(0, 16, [4], "F99")}, _ZEROS)),
    _st("header of an exabyte", "broken|incomplete", _tensors({"w": _tensor(0, 16, [4])}, _ZEROS, length=1 << 60)),
    _st("shape that overflows", "broken", _tensors({"w": _tensor(0, 16, [1 << 62, 1 << 62])}, _ZEROS)),
    _st("negative offsets", "broken", _tensors({"w": _tensor(-16, 0, [4])}, _ZEROS)),
    _st("metadata that is no text", "broken", _tensors({"__metadata__": {"a": 1}, "w": _tensor(0, 16, [4])}, _ZEROS)),
)  # fmt: skip
