"""torch.save's tar of 2016, by hand from torch.serialization's own reader, which loads it: `... OUT`."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

from tools.samples.oracles import main, note


def write(folder: Path) -> None:
    """The sample and what torch.load gives for it."""
    import torch

    path = folder / "tiny.tar"
    whole = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    tensors = {"weight": whole, "half": whole[1:2], "index": torch.tensor([1, 2, 3])}
    path.write_bytes(packed(torch, tensors, {"epoch": 3}))
    loaded = torch.load(path, weights_only=False)
    names = {torch.float32: "F32", torch.int64: "I64"}
    rows = [(name, names[one.dtype], list(one.shape)) for name, one in loaded["state"].items()]
    note(path, "pytorch-tar", [(f"state.{name}", dtype, shape) for name, dtype, shape in rows])


def packed(torch: Any, tensors: dict[str, Any], more: dict[str, object]) -> bytes:
    keys = {id(tensor): str(number + 100) for number, tensor in enumerate(tensors.values())}

    class Pickler(pickle.Pickler):
        def persistent_id(self, thing: object) -> str | None:
            return keys.get(id(thing))

    main = io.BytesIO()
    Pickler(main, 2).dump({"state": OrderedDict(tensors), **more})
    storages: dict[int, Any] = {}
    views = b""
    for tensor in tensors.values():
        place = tensor.untyped_storage().data_ptr()
        storages.setdefault(place, tensor)
        views += pickle.dumps((int(keys[id(tensor)]), place, torch.FloatTensor), 2)
        views += struct.pack(f"<iI{tensor.dim()}q", tensor.dim(), 0, *tensor.shape)
        views += struct.pack(f"<{tensor.dim()}qq", *tensor.stride(), tensor.storage_offset())
    raw = pickle.dumps(len(storages), 2)
    for place, tensor in storages.items():
        kind = torch.FloatStorage if tensor.dtype == torch.float32 else torch.LongStorage
        raw += pickle.dumps((place, "cpu", kind), 2) + struct.pack("<q", tensor.numel())
        raw += bytes(tensor.contiguous().numpy().tobytes())
    raw += pickle.dumps([], 2)
    info = pickle.dumps({"protocol_version": 1000, "little_endian": True}, 2)
    views = pickle.dumps(len(tensors), 2) + views
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as archive:
        for name, data in {"sys_info": info, "pickle": main.getvalue(), "tensors": views, "storages": raw}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


if __name__ == "__main__":
    main(write)
