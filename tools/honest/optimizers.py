"""Every optimizer and schedule of torch.optim: its state, and itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import torch
from torch import nn
from torch.optim import lr_scheduler, swa_utils

from tools.honest import Honest, saved

OPTIMIZERS = {
    name: kind
    for name, kind in vars(torch.optim).items()
    if inspect.isclass(kind) and issubclass(kind, torch.optim.Optimizer) and name != "Optimizer"
}


def _one(kind: type[torch.optim.Optimizer]) -> torch.optim.Optimizer:
    model = nn.Embedding(4, 3, sparse=True) if kind is torch.optim.SparseAdam else nn.Linear(3, 3, bias=False)
    optimizer = kind(list(model.parameters()), lr=0.01)
    value = torch.tensor([1]) if kind is torch.optim.SparseAdam else torch.ones(1, 3)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = model(value).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return optimizer


def _schedules() -> Iterator[tuple[str, object]]:
    def sgd() -> torch.optim.Optimizer:
        return torch.optim.SGD([nn.Parameter(torch.ones(1))], lr=0.1, momentum=0.9)

    one = sgd()
    yield "StepLR", lr_scheduler.StepLR(sgd(), 3)
    yield "MultiStepLR", lr_scheduler.MultiStepLR(sgd(), [1, 2])
    yield "ConstantLR", lr_scheduler.ConstantLR(sgd())
    yield "LinearLR", lr_scheduler.LinearLR(sgd())
    yield "ExponentialLR", lr_scheduler.ExponentialLR(sgd(), 0.9)
    yield "PolynomialLR", lr_scheduler.PolynomialLR(sgd())
    yield "CosineAnnealingLR", lr_scheduler.CosineAnnealingLR(sgd(), 5)
    yield "CosineAnnealingWarmRestarts", lr_scheduler.CosineAnnealingWarmRestarts(sgd(), 5)
    yield "CyclicLR", lr_scheduler.CyclicLR(sgd(), 0.1, 1.0)
    yield "OneCycleLR", lr_scheduler.OneCycleLR(sgd(), 1.0, 10)
    yield "ReduceLROnPlateau", lr_scheduler.ReduceLROnPlateau(sgd())
    yield "SequentialLR", lr_scheduler.SequentialLR(one, [lr_scheduler.LinearLR(one), lr_scheduler.StepLR(one, 2)], [2])
    yield "ChainedScheduler", lr_scheduler.ChainedScheduler([lr_scheduler.LinearLR(one), lr_scheduler.StepLR(one, 2)])
    yield "SWALR", swa_utils.SWALR(sgd(), 0.1)


CASES: tuple[Honest, ...] = (
    *(saved(f"{name}.pt", lambda kind=kind: _one(kind).state_dict()) for name, kind in OPTIMIZERS.items()),
    *(saved(f"{name}_whole.pt", lambda kind=kind: _one(kind)) for name, kind in OPTIMIZERS.items()),
    *(saved(f"{name}.pt", lambda one=one: one.state_dict()) for name, one in _schedules()),
    *(saved(f"{name}_whole.pt", lambda one=one: one) for name, one in _schedules() if name != "CyclicLR"),
    saved("GradScaler.pt", lambda: torch.amp.GradScaler("cpu", enabled=True)),
    saved("AveragedModel.pt", lambda: swa_utils.AveragedModel(nn.Linear(2, 2), multi_avg_fn=None)),
)
