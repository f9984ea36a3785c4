"""Torch checkpoints: archives altered in their headers, members and storages, and the older containers."""

import io
import pickle
import struct
import tarfile
import zipfile
import zlib

from tools.attacks.opcodes import INERT, before, call, classic, stacked, system, text, whole


def checkpoint() -> dict[str, bytes]:
    """The members of an honest checkpoint, as torch writes them."""
    import torch

    written = io.BytesIO()
    torch.save({"layer.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3)}, written)
    with zipfile.ZipFile(written) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(members: dict[str, bytes], *, method: int = zipfile.ZIP_STORED) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, method)
    return written.getvalue()


def cases() -> dict[str, dict[str, bytes]]:
    honest = checkpoint()
    root = next(iter(honest)).split("/")[0]
    pickled = honest[f"{root}/data.pkl"]
    evil = {**honest, f"{root}/data.pkl": before(pickled)}
    made = {**_members(honest, evil, root), **_headers(evil, root), **_containers(evil), **_broken(honest, root)}
    return {name: {"model.pt": content} for name, content in made.items()}


def _members(honest: dict[str, bytes], evil: dict[str, bytes], root: str) -> dict[str, bytes]:
    other = {f"other/{name.split('/', 1)[1]}": content for name, content in evil.items()}
    return {
        "torch/payload before the state": packed(evil),
        "torch/deflated": packed(evil, method=zipfile.ZIP_DEFLATED),
        "torch/bzip2": packed(evil, method=zipfile.ZIP_BZIP2),
        "torch/lzma": packed(evil, method=zipfile.ZIP_LZMA),
        "torch/second root": packed({**honest, **other}),
        "torch/extra pickle": packed({**honest, f"{root}/extra.pkl": system()}),
        "torch/pickle with another suffix": packed({**honest, f"{root}/notes.txt": system()}),
        "torch/pickle as a storage": packed({**honest, f"{root}/data/7": system()}),
        "torch/constants pickle": packed({**honest, f"{root}/constants.pkl": system(protocol=2)}),
        "torch/renamed pickle": packed(
            {name.replace("data.pkl", "DATA.PKL"): content for name, content in evil.items()}
        ),
        "torch/mar code": packed(
            {**honest, f"{root}/.data/serialization_id": b"1", f"{root}/code/__torch__.py": _torchscript()}
        ),
        "torch/package": packed(
            {
                f"{root}/.data/python_version": b"3.11",
                f"{root}/model/model.pkl": system(),
                f"{root}/acme.py": b"import os\nos.system('true')\n",
            }
        ),
        "torch/nested archive": packed({**honest, f"{root}/inner.zip": packed({"data.pkl": system()})}),
        "torch/rebuild with a shell": packed(
            {
                **honest,
                f"{root}/data.pkl": whole(
                    call(
                        stacked("torch._utils", "_rebuild_from_type_v2"),
                        stacked("posix", "system"),
                        stacked("torch", "Tensor"),
                        b")",
                        b"}",
                    )
                ),
            }
        ),
        "torch/rebuild parameter with a shell": packed(
            {
                **honest,
                f"{root}/data.pkl": whole(
                    call(
                        stacked("torch._utils", "_rebuild_from_type_v2"),
                        stacked("builtins", "exec"),
                        stacked("builtins", "str"),
                        text("1") + b"\x85",
                        b"N",
                    )
                ),
            }
        ),
        "torch/set state hook": packed(
            {
                **honest,
                f"{root}/data.pkl": whole(
                    call(stacked("torch._tensor", "_rebuild_from_type_v2"), stacked("os", "system"), b")", b")", b"N")
                ),
            }
        ),
        "suspicious/torch module of an unknown class": packed(
            {**honest, f"{root}/data.pkl": whole(stacked("acme.models", "Net") + b")\x81", protocol=2)}
        ),
    }


def _torchscript() -> bytes:
    return b'class M(Module):\n  def forward(self, x: Tensor) -> Tensor:\n    ops.aten.save(x, "/tmp/x")\n    return torch.from_file("/etc/passwd")\n'  # noqa: E501


def _headers(evil: dict[str, bytes], root: str) -> dict[str, bytes]:
    plain = packed(evil)
    member = f"{root}/data.pkl".encode()
    first = plain.index(member)
    last = plain.rindex(member)
    return {
        "torch/central name differs": plain[:last] + member[:-3] + b"bin" + plain[last + len(member) :],
        "torch/local name differs": plain[:first] + member[:-3] + b"txt" + plain[first + len(member) :],
        "torch/encrypted flag central": _flag(plain, last - 46 + 8, 0x1),
        "torch/encrypted flag local": _flag(plain, first - 30 + 6, 0x1),
        "torch/patch flag": _flag(plain, last - 46 + 8, 0x20),
        "torch/strong encryption flag": _flag(plain, last - 46 + 8, 0x40),
        "torch/crc of zero central": plain[: last - 46 + 16] + bytes(4) + plain[last - 46 + 20 :],
        "torch/crc of zero local": plain[: first - 30 + 14] + bytes(4) + plain[first - 30 + 18 :],
        "torch/duplicate member": _doubled(evil, member.decode(), honest_last=True),
        "torch/duplicate member last hostile": _doubled(evil, member.decode(), honest_last=False),
        "torch/leading bytes": b"#!/bin/sh\n" + bytes(118) + plain,
        "torch/trailing pickle": plain + system(),
        "torch/leading pickle": system() + plain,
        "torch/two end records": plain + packed({"archive/data.pkl": system(), "archive/version": b"3\n"}),
        "torch/comment": _comment(plain, system()),
        "torch/method unknown": plain[: last - 46 + 10] + b"\x63\x00" + plain[last - 46 + 12 :],
    }


def _flag(content: bytes, at: int, flag: int) -> bytes:
    (old,) = struct.unpack_from("<H", content, at)
    return content[:at] + struct.pack("<H", old | flag) + content[at + 2 :]


def _comment(content: bytes, comment: bytes) -> bytes:
    return content[:-2] + struct.pack("<H", len(comment)) + comment


def _doubled(evil: dict[str, bytes], member: str, *, honest_last: bool) -> bytes:
    import warnings

    honest = whole(b"}")
    order = (evil[member], honest) if honest_last else (honest, evil[member])
    written = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(written, "w") as archive:
        warnings.simplefilter("ignore")
        for name, content in evil.items():
            if name != member:
                archive.writestr(name, content)
        for content in order:
            archive.writestr(member, content)
    return written.getvalue()


def _containers(evil: dict[str, bytes]) -> dict[str, bytes]:
    magic, protocol, info = (
        0x1950A86A20F9469CFC6C,
        1001,
        {"protocol_version": 1001, "little_endian": True, "type_sizes": {}},
    )
    head = [pickle.dumps(one, 2) for one in (magic, protocol, info)]
    tail = [pickle.dumps({}, 2), pickle.dumps([], 2)]
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        for name, content in (
            ("pickle", system(protocol=2)),
            ("storages", pickle.dumps(0, 2)),
            ("tensors", pickle.dumps(0, 2)),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return {
        "torch/legacy in the object": b"".join([*head, before(tail[0]), tail[1]]),
        "torch/legacy in the keys": b"".join([*head, tail[0], before(tail[1])]),
        "torch/legacy in the information": b"".join([*head[:2], before(head[2]), *tail]),
        "torch/legacy in the magic": b"".join([before(head[0]), *head[1:], *tail]),
        "torch/legacy after the keys": b"".join([*head, *tail, system()]),
        "torch/legacy with another magic": b"".join([pickle.dumps(7, 2), *head[1:], before(tail[0]), tail[1]]),
        "torch/tar": tarred.getvalue(),
        "torch/plain pickle": whole(call(classic("posix", "system"), text(INERT)), protocol=2),
        "torch/gzip around": zlib.compress(packed(evil)),
    }


def _broken(honest: dict[str, bytes], root: str) -> dict[str, bytes]:
    plain = packed(honest)
    without = {name: content for name, content in honest.items() if not name.endswith("data.pkl")}
    storage = f"{root}/data/0"
    short = {**honest, storage: honest[storage][:-4]}
    gone = {name: content for name, content in honest.items() if name != storage}
    pickled = honest[f"{root}/data.pkl"]
    at = plain.index(honest[storage])
    return {
        "broken/torch without data.pkl": packed(without),
        "broken/torch storage short": packed(short),
        "broken/torch storage missing": packed(gone),
        "broken/torch data.pkl cut": packed({**honest, f"{root}/data.pkl": pickled[: len(pickled) // 2]}),
        "broken/torch data.pkl empty": packed({**honest, f"{root}/data.pkl": b""}),
        "broken/torch data.pkl without stop": packed({**honest, f"{root}/data.pkl": pickled[:-1]}),
        "broken/torch cut in the middle": plain[: len(plain) // 2],
        "broken/torch cut by one": plain[:-1],
        "broken/torch cut in the head": plain[:20],
        "broken/torch storage corrupted": plain[:at] + b"\xff\xff\xff\xff" + plain[at + 4 :],
        "broken/torch numel too large": packed(
            {**honest, f"{root}/data.pkl": pickled.replace(b"K\x02K\x03\x86", b"K\x02K\x7f\x86")}
        ),
        "broken/torch stride out of range": packed(
            {**honest, f"{root}/data.pkl": pickled.replace(b"K\x03K\x01\x86", b"K\x7fK\x01\x86")}
        ),
        "broken/torch not a zip at all": b"PK\x03\x04" + bytes(200),
        "broken/torch magic only": b"PK\x03\x04",
        "broken/torch of text": b"version https" * 3,
    }
