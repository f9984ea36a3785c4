"""Checkpoints that torch.save writes."""

# ruff: noqa: E501  # tables of cases are lines of text
from __future__ import annotations

import argparse
import collections
import copy
import datetime
import decimal
import io
import pathlib
import random
import types
import uuid
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tools.honest import Honest, saved

DTYPES = (
    "float16 bfloat16 float32 float64 int8 uint8 int16 uint16 int32 uint32 int64 uint64 bool complex32 complex64 complex128 "
    "float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu"
).split()


def network() -> nn.Module:
    """A small picture network."""
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)
    )  # fmt: skip


def _dtypes() -> object:
    return {name: torch.empty(4, dtype=getattr(torch, name)) for name in DTYPES}


def _quantised() -> object:
    channel = (torch.ones(4), torch.zeros(4, dtype=torch.long), 0)
    return {
        "int8": torch.quantize_per_tensor(torch.randn(4, 4), 0.1, 0, torch.qint8),
        "uint8": torch.quantize_per_tensor(torch.randn(4, 4), 0.1, 3, torch.quint8),
        "int32": torch.quantize_per_tensor(torch.randn(4), 0.1, 0, torch.qint32),
        "channels": torch.quantize_per_channel(torch.randn(4, 4), *channel, torch.qint8),
    }


def _dynamic() -> nn.Module:
    return torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), {nn.Linear}, torch.qint8)


def _sparse() -> object:
    eye = torch.eye(4)
    return [
        eye.to_sparse(),
        eye.to_sparse_csr(),
        eye.to_sparse_csc(),
        eye.to_sparse_bsr((2, 2)),
        eye.to_sparse_bsc((2, 2)),
    ]


def _views() -> object:
    base = torch.arange(60.0)
    return {
        "whole": base, "head": base[:10], "tail": base[50:], "grid": base.view(6, 10), "turned": base.view(6, 10).t(),
        "steps": base[::7], "spread": torch.ones(1, 1).expand(8, 8), "point": base[3],
    }  # fmt: skip


def _marked() -> object:
    z = torch.ones(3, dtype=torch.complex64)
    return {
        "conjugate": z.conj(),
        "imaginary": torch.ones(3, dtype=torch.complex64).conj().imag,
        "leaf": torch.ones(2, requires_grad=True),
    }


def _attributed() -> object:
    tensor, weight = torch.ones(3), nn.Parameter(torch.ones(3), requires_grad=False)
    tensor.tag = "embedding"
    weight.sequence_parallel = True
    return {"tensor": tensor, "weight": weight, "buffer": nn.Buffer(torch.ones(2))}


def _lists() -> object:
    parts = nn.ParameterList([nn.Parameter(torch.ones(2))]), nn.ParameterDict({"a": nn.Parameter(torch.ones(2))})
    return {"list": parts[0], "dict": parts[1], "states": [part.state_dict() for part in parts]}


def _tied() -> object:
    model = nn.ModuleDict({"embed": nn.Embedding(5, 4), "head": nn.Linear(4, 5, bias=False)})
    model["head"].weight = model["embed"].weight
    return model.state_dict()


def _values() -> object:
    return {
        "epoch": np.int64(3), "loss": np.float32(0.5), "best": np.float64(1.5), "classes": np.array(["cat", "dog"]),
        "date": datetime.datetime(2026, 1, 1, 12), "took": datetime.timedelta(hours=3), "id": uuid.uuid4(),
        "args": argparse.Namespace(lr=0.1, data=pathlib.Path("data/coco.yaml"), device=torch.device("cpu")),
        "history": collections.defaultdict(list, loss=[1.0, 0.5]), "seen": collections.Counter("aab"),
        "price": decimal.Decimal("0.1"), "cfg": types.SimpleNamespace(depth=3), "opt": collections.OrderedDict(lr=0.1),
        "shape": torch.Size([1, 2]), "dtype": torch.bfloat16, "layout": torch.sparse_coo, "tag": "x",
        "last": collections.deque([1.0], maxlen=5), "window": slice(0, 3), "names": {0: "person", 1: "car"},
    }  # fmt: skip


def _random_states() -> object:
    states = {"python": random.getstate(), "numpy": np.random.get_state(), "cpu": torch.get_rng_state(), "cuda": []}
    return states | {"generator": torch.Generator().get_state()}


def _resumable() -> object:
    model = network()
    optimizer = torch.optim.AdamW(model.parameters(), fused=False)
    model(torch.ones(2, 3, 4, 4)).sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=10)
    return {
        "epoch": 3, "model": model.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
        "scaler": torch.amp.GradScaler("cpu").state_dict(), "ema": copy.deepcopy(model).half().state_dict(),
        "grads": [one.grad for one in model.parameters()], "rng": _random_states(), "args": argparse.Namespace(lr=0.1),
    }  # fmt: skip


def _nested() -> object:
    parts = [torch.ones(2, 3), torch.ones(4, 3)]
    return [torch.nested.nested_tensor(parts), torch.nested.nested_tensor(parts, layout=torch.jagged)]


def _storages() -> object:
    return [torch.ones(3).untyped_storage(), torch.FloatStorage([1.0, 2.0]), torch.ones(3).storage()]


def _lightning() -> object:
    state = {f"model.{key}": value for key, value in network().state_dict().items()}
    return {
        "epoch": 1, "global_step": 10, "pytorch-lightning_version": "1.9.5", "state_dict": state, "loops": None,
        "hparams_name": "kwargs", "hyper_parameters": {"lr": 0.1, "layers": [1, 2], "path": pathlib.Path("x")},
        "callbacks": {"EarlyStopping": {"wait_count": 1, "best_score": torch.tensor(0.3)}},
    }  # fmt: skip


def _tensor_in_bytes() -> object:
    inner = io.BytesIO()
    torch.save(torch.ones(3), inner)
    return {"payload": inner.getvalue(), "note": "a file in a file, as bytes"}


def _distributed(folder: Path) -> Path:
    import torch.distributed.checkpoint as dcp

    dcp.save({"model": network().state_dict(), "step": 3}, checkpoint_id=folder / "dcp", no_dist=True)
    return folder / "dcp"


def _read_distributed(folder: Path) -> object:
    import torch.distributed.checkpoint as dcp

    state = {"model": network().state_dict(), "step": 0}
    dcp.load(state, checkpoint_id=folder, no_dist=True)
    return state


def _tar_file(folder: Path) -> Path:
    torch.save(
        {"state_dict": network().state_dict(), "arch": "resnet18", "best_acc1": torch.tensor(3.0)},
        folder / "model_best.pth.tar",
    )
    return folder / "model_best.pth.tar"


MAKERS: dict[str, Callable[[], object]] = {
    "network": lambda: network().state_dict(),
    "recurrent": lambda: nn.ModuleList([nn.LSTM(4, 4, 2), nn.GRU(4, 4), nn.RNN(4, 4)]).state_dict(),
    "transformer": lambda: nn.Transformer(8, 2, 1, 1, 16).state_dict(),
    "lazy": lambda: nn.Sequential(nn.LazyLinear(3), nn.LazyConv2d(4, 3)).state_dict(),
    "dtypes": _dtypes,
    "quantised": _quantised,
    "dynamic": lambda: _dynamic().state_dict(),
    "dynamic_whole": _dynamic,
    "sparse": _sparse,
    "views": _views,
    "marked": _marked,
    "attributed": _attributed,
    "lists": _lists,
    "tied": _tied,
    "values": _values,
    "rng": _random_states,
    "resumable": _resumable,
    "nested": _nested,
    "storages": _storages,
    "meta": lambda: {"a": torch.empty(3, 4, device="meta"), "p": nn.Parameter(torch.empty(2, device="meta"))},
    "lightning": _lightning,
    "bytes": _tensor_in_bytes,
    "numbers": lambda: [1, 2.5, True, None, "x", b"y", 1 << 80, (1,), {1}, frozenset({2})],
    "tensor": lambda: torch.ones(3),
    "many": lambda: {f"layers.{index}.weight": torch.zeros(2, 2) for index in range(800)},
    "normed": lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(3, 3)).state_dict(),
    "ema": lambda: torch.optim.swa_utils.AveragedModel(network()).state_dict(),
    "parallel": lambda: nn.DataParallel(network()).state_dict(),
    "tuple": lambda: (network().state_dict(), {"lr": 0.1}),
    "memory_format": lambda: torch.ones(1, 3, 4, 4).to(memory_format=torch.channels_last),
    "float_keys": lambda: {0: torch.ones(1), 1.5: "x", ("a", 1): torch.ones(1), None: 3},
    "masked": lambda: {"numpy": np.arange(6).reshape(2, 3), "object": np.array(["a", None], dtype=object)},
}

CASES: tuple[Honest, ...] = (
    *(saved(f"{name}.pt", make) for name, make in MAKERS.items()),
    *(saved(f"{name}_old.pth", make, _use_new_zipfile_serialization=False) for name, make in MAKERS.items() if name not in ("nested", "dtypes", "storages")),
    *(saved(f"protocol{number}.bin", _resumable, pickle_protocol=number) for number in (2, 3, 4, 5)),
    *(saved(f"protocol{number}_old.bin", _resumable, pickle_protocol=number, _use_new_zipfile_serialization=False) for number in (2, 3, 4, 5)),
    Honest("distributed", _distributed, _read_distributed),
    Honest("model_best.pth.tar", _tar_file, lambda path: torch.load(path, weights_only=False)),
)  # fmt: skip
