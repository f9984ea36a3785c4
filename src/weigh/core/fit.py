"""Whether a model runs on a device: memory by term, speed as an interval, and why."""

from __future__ import annotations

from typing import Literal

from weigh.core.saying import Saying
from weigh.core.value import Value

Verdict = Literal["fits", "tight", "offload", "no"]
VERDICTS: tuple[Verdict, ...] = ("fits", "tight", "offload", "no")  # the best first


class Memory(Value, frozen=True, kw_only=True):
    """Bytes by term; `total` is their sum. `overhead` is what the engine and its driver take besides, `training` the
    gradients and the optimiser's states. `projector` is what sees or hears and lies in a file of its own, with what it
    works in; `draft` all of a second, small model that guesses ahead; `adapters` what is laid over the weights.
    """

    weights: int
    kv_cache: int
    recurrent_state: int
    compute: int
    output: int
    overhead: int
    training: int = 0
    projector: int = 0
    draft: int = 0
    adapters: int = 0
    total: int


class Interval(Value, frozen=True, kw_only=True):
    """A figure that is not known to the digit."""

    low: float
    typical: float
    high: float


class Speed(Value, frozen=True, kw_only=True, omit_defaults=False):
    """Tokens a second: one after another, and of the prompt."""

    decode: Interval | None = None
    prefill: Interval | None = None


class Share(Value, frozen=True, kw_only=True):
    """What of it one device holds, and what it may hold, in bytes."""

    device: str
    memory: int
    budget: int


class Fit(Value, frozen=True, kw_only=True, omit_defaults=False):
    """`basis` says where the weights' bytes and the shapes are from; `estimated` names the terms that are estimates.
    `shapes` is the base model whose published shape was taken where no file gives one, `quant` how its weights are
    taken to be packed where no file says it. `compute` is what a graph may take on a card, in bytes, of which `memory`
    has the typical figure; `most` the most that all of it may take, by which the verdict is given; `repacked` what a
    processor holds a second time in another order, of which the system may drop the first. `n_gpu_layers`: so many
    layers on the card, where not all go there.
    """

    device: str
    engine: str
    context_length: int | None = None
    verdict: Verdict
    memory: Memory
    devices: tuple[Share, ...] = ()
    compute: Interval | None = None
    most: int | None = None
    repacked: int | None = None
    speed: Speed | None = None
    basis: str
    shapes: str | None = None
    quant: str | None = None
    estimated: tuple[str, ...] = ()
    because: Saying
    command: str | None = None
    n_gpu_layers: int | None = None
