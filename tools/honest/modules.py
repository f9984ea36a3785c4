"""Whole modules, pickled as torch.save(model) does: every layer of torch.nn, and classes of one's own."""

# ruff: noqa: E501  # tables of cases are lines of text
from __future__ import annotations

import inspect
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from tools.honest import Honest, saved

# What the constructors of layers want, tried in turn.
_TRIES: tuple[tuple[object, ...], ...] = (
    (),
    (4,),
    (4, 4),
    (4, 4, 3),
    (2, 4, 4),
    (4, 2),
    ([4],),
    ((1, 1, 1, 1),),
    (1, (2, 2)),
)


def layer(kind: type[nn.Module]) -> nn.Module | None:
    """One of the kind, if any usual arguments make it."""
    for arguments in _TRIES:
        try:
            return kind(*arguments)
        except Exception:
            continue
    return None


LAYERS = {
    name: one
    for name, kind in vars(nn).items()
    if inspect.isclass(kind) and issubclass(kind, nn.Module) and (one := layer(kind)) is not None
}


class Bottleneck(nn.Module):
    """A block of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.cv1, self.act = nn.Conv2d(4, 4, 1), nn.SiLU()


class Detector(nn.Module):
    """A network of one's own, as YOLO's checkpoints hold one."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(Bottleneck(), nn.Upsample(scale_factor=2), nn.ModuleList([nn.Conv2d(4, 4, 1)]))
        self.stride, self.names, self.yaml = torch.tensor([8.0]), {0: "person"}, {"nc": 80, "depth_multiple": 0.33}


def _yolo() -> object:
    return {
        "epoch": -1, "best_fitness": None, "model": Detector().half(), "ema": None, "updates": None, "optimizer": None,
        "train_args": {"task": "detect", "data": "coco.yaml"}, "date": "2026-01-01T00:00:00", "version": "8.3.0",
    }  # fmt: skip


def _pruned() -> nn.Module:
    one = nn.Linear(4, 4)
    prune.l1_unstructured(one, "weight", amount=0.5)
    return one


def _hooked() -> nn.Module:
    one = nn.Sequential(nn.Linear(2, 2))
    one.register_forward_hook(print)
    return one


def _built() -> nn.Module:
    return nn.Sequential(
        nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", batch_first=True), 2),
        nn.TransformerDecoderLayer(8, 2, 16), nn.MultiheadAttention(8, 2), nn.LSTM(4, 4, bidirectional=True),
    )  # fmt: skip


WHOLE: dict[str, Callable[[], object]] = {
    "built": _built,
    "pruned": _pruned,
    "hooked": _hooked,
    "weight_norm_old": lambda: nn.utils.weight_norm(nn.Linear(3, 3)),
    "spectral_norm_old": lambda: nn.utils.spectral_norm(nn.Linear(3, 3)),
    "container": lambda: {"net": nn.ModuleDict({"a": nn.Linear(2, 2)}), "list": nn.ModuleList([nn.ReLU()])},
    "losses": lambda: [nn.CrossEntropyLoss(torch.ones(3)), nn.MSELoss(), nn.BCEWithLogitsLoss(), nn.TripletMarginLoss()],
    "functions": lambda: [torch.relu, torch.sigmoid, torch.tanh, nn.functional.gelu, nn.functional.silu, nn.functional.mse_loss, torch.nn.init.xavier_uniform_, torch.softmax],
    "fused": lambda: torch.ao.quantization.fuse_modules(nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3), nn.ReLU()).eval(), ["0", "1", "2"]),
    "distributions": lambda: [torch.distributions.Normal(0.0, 1.0), torch.distributions.Categorical(torch.ones(3)), torch.distributions.Beta(1.0, 1.0), torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2))],
    "dataset": lambda: [torch.utils.data.TensorDataset(torch.ones(3, 2)), torch.utils.data.Subset(torch.utils.data.TensorDataset(torch.ones(3)), [0])],
    "shared": lambda: nn.DataParallel(nn.Linear(2, 2)),
    "jit_free": lambda: nn.utils.rnn.pack_padded_sequence(torch.ones(2, 1, 1), torch.tensor([2])),
    "graph": lambda: torch.fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU())).state_dict(),
}  # fmt: skip

CASES: tuple[Honest, ...] = (
    *(saved(f"{name}.pt", lambda one=one: one) for name, one in LAYERS.items()),
    *(saved(f"{name}.pth", make) for name, make in WHOLE.items()),
    *(saved(f"{name}_old.pth", make, _use_new_zipfile_serialization=False) for name, make in WHOLE.items() if name in ("built", "container")),
    saved("parametrized_weights.pt", lambda: parametrizations.orthogonal(nn.Linear(3, 3)).state_dict()),
    saved("yolo_of_ones_own.pt", _yolo, verdict="suspicious"),
    saved("yolo_of_ones_own_old.pt", _yolo, verdict="suspicious", _use_new_zipfile_serialization=False),
)  # fmt: skip
