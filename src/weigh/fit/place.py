"""Where it goes: all on the device, split over several, experts or layers in the host's memory, or nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from weigh.core.fit import Fit, Memory, Share, Verdict
from weigh.core.hardware import Device
from weigh.core.saying import Saying
from weigh.core.value import Value
from weigh.fit.case import Case, graph_on, memory, upper
from weigh.fit.commands import command
from weigh.fit.speed import Stage, Work, speed
from weigh.fit.terms import with_more

LEAF = 640 << 20  # what a card holds of weights that come layer by layer; 0.53 GB was seen
TIGHT = 0.97  # of the budget: above that a browser tab may be too much
DEPTH = 512  # tokens in the cache while the speed of decoding is told
# The host of a device that is only named: two channels of DDR5.
HOST = Device(name="host", device_class="cpu", memory=64 << 30, budget=48 << 30, bandwidth=80e9, tflops={"fp32": 1.0})


_OURS = ("llama.cpp", "ollama")


class _Plan(Value, frozen=True, kw_only=True):
    """One way to lay it out, before it is told as a Fit."""

    verdict: Verdict
    need: Memory
    shares: tuple[Share, ...]
    stages: tuple[Stage, ...] = ()
    because: Saying
    command: str | None = None
    n_gpu_layers: int | None = None


def place(case: Case, device: Device, engine: str, host: Device = HOST) -> Fit:
    """The best plan there is on this device, its verdict, speed and command line."""
    plan = next((plan for plan in _plans(case, device, engine, host) if plan is not None), None)
    return _told(plan or _nowhere(case, device, engine), case, device, engine)


def _plans(case: Case, device: Device, engine: str, host: Device) -> Iterator[_Plan | None]:
    yield _whole(case, device, engine)
    if case.purpose == "draw" and device.device_class != "cpu":
        yield _in_turn(case, device, engine, host)
    if engine in _OURS and case.speaks and device.device_class != "cpu":
        yield _experts_out(case, device, host) if engine == "llama.cpp" else None
        yield _layers_out(case, device, host, engine)


def _whole(case: Case, device: Device, engine: str) -> _Plan | None:
    """All of it on the device, or spread evenly over all of them."""
    gpu = device.device_class != "cpu"
    need = memory(case, engine, gpu=gpu, share=device.count)
    budget = device.budget * device.count
    most = _most(case, need, device, engine)
    if most > budget:
        return None
    verdict: Verdict = "fits" if most <= budget * TIGHT else "tight"
    key = "fit.split" if device.count > 1 else "fit.whole"
    return _Plan(
        verdict=verdict,
        need=need,
        shares=(_share(device, need.total // device.count),),
        stages=(Stage(device=device, share=1.0 / _speedup(engine, device)),),
        because=Saying(key, total=need.total, budget=budget, count=device.count),
        command=command(case, engine, device),
    )


def _speedup(engine: str, device: Device) -> float:
    """Layers on several devices follow each other; split tensors work side by side, at some cost."""
    return 1.0 + 0.6 * (device.count - 1) if engine == "vllm" else 1.0


def _experts_out(case: Case, device: Device, host: Device) -> _Plan | None:
    """Attention and shared parts on the device, routed experts in the host's memory."""
    routed = case.weights.routed
    if not routed:
        return None
    need = memory(case, "llama.cpp", gpu=True, share=device.count)
    here = with_more(need, weights=need.weights - routed)
    if _most(case, here, device, "llama.cpp") > device.budget * device.count or routed > host.budget:
        return None
    active = case.weights.active
    idle = max(case.weights.total - active, 0)
    used = max(routed - idle, 0) / active if active else 0.0  # the share of what a token reads that lies with the host
    return _Plan(
        verdict="offload",
        need=need,
        shares=(_share(device, here.total // device.count), _share(host, routed)),
        stages=(
            Stage(device=device, share=1 - min(used, 1.0)),
            Stage(device=host, share=min(used, 1.0)),
        ),
        because=Saying("fit.experts", here=here.total, host=routed),
        command=command(case, "llama.cpp", device, "--cpu-moe"),
    )


def _in_turn(case: Case, device: Device, engine: str, host: Device) -> _Plan | None:
    """A pipeline's parts on the device one after another; where even one is too large, its layers one by one."""
    need, total = memory(case, engine, gpu=True), case.weights.total
    for key, held in (("fit.parts", case.part), ("fit.leaves", min(LEAF, total))):
        if held is None:
            continue
        here = with_more(need, weights=held)
        if _most(case, here, device, engine) <= device.budget and total <= host.budget:
            return _Plan(
                verdict="offload",
                need=need,
                shares=(_share(device, here.total), _share(host, total)),
                because=Saying(key, here=here.total, host=total),
            )
    return None


def _layers_out(case: Case, device: Device, host: Device, engine: str) -> _Plan | None:
    """As many layers on the device as go there, the others with the host."""
    count = len(case.architecture.layers) if case.architecture is not None else 32
    need = memory(case, "llama.cpp", gpu=True, share=device.count)
    fixed = need.compute + need.output + need.overhead
    moving = need.weights + need.kv_cache + need.recurrent_state
    room = device.budget * device.count - fixed - (_most(case, need, device, engine) - need.total)
    layers = min(int(count * room / moving), count - 1) if moving else 0
    if layers < 1:
        return None
    share = layers / count
    there = round(moving * (1 - share))
    if there > host.budget:
        return None
    return _Plan(
        verdict="offload",
        need=need,
        shares=(_share(device, (need.total - there) // device.count), _share(host, there)),
        stages=(
            Stage(device=device, share=share),
            Stage(device=host, share=1 - share),
        ),
        because=Saying("fit.layers", layers=layers, count=count, host=there),
        command=command(case, engine, device, "-ngl", str(layers)),
        n_gpu_layers=layers,
    )


def _nowhere(case: Case, device: Device, engine: str) -> _Plan:
    need = memory(case, engine, gpu=device.device_class != "cpu", share=device.count)
    budget = device.budget * device.count
    key = "fit.nowhere" if case.speaks else "fit.too_large"
    return _Plan(
        verdict="no",
        need=need,
        shares=(_share(device, need.total // device.count),),
        because=Saying(
            key, total=need.total, budget=budget, missing=max(_most(case, need, device, engine) - budget, 1)
        ),
    )


def _most(case: Case, need: Memory, device: Device, engine: str) -> int:
    return upper(need, case, graph_on(case, engine, gpu=device.device_class != "cpu", share=device.count))


def _share(device: Device, nbytes: int) -> Share:
    return Share(device=device.name, memory=nbytes, budget=device.budget)


def _told(plan: _Plan, case: Case, device: Device, engine: str) -> Fit:
    name = f"{device.count}x {device.name}" if device.count > 1 else device.name
    return Fit(
        device=name,
        engine=engine,
        context_length=case.context_length,
        verdict=plan.verdict,
        memory=plan.need,
        devices=plan.shares,
        compute=graph_on(case, engine, gpu=device.device_class != "cpu", share=device.count),
        most=_most(case, plan.need, device, engine),
        repacked=case.weights.repacked or None if device.device_class == "cpu" and engine in _OURS else None,
        speed=speed(_work(case, plan.need), plan.stages, parallel=case.parallel)
        if plan.stages and case.speaks
        else None,
        basis=case.basis,
        shapes=case.shapes,
        quant=case.quant,
        estimated=_estimated(case, device),
        because=plan.because,
        command=plan.command,
        n_gpu_layers=plan.n_gpu_layers,
    )


def _estimated(case: Case, device: Device) -> tuple[str, ...]:
    """On a card what its driver takes, and how much larger a graph is there, is known from logs alone."""
    more = () if device.device_class == "cpu" else ("compute", "overhead")
    return tuple(dict.fromkeys((*case.estimated, *more)))


def _work(case: Case, need: Memory) -> Work:
    tokens = max(case.context_length * case.parallel, 1)
    return Work(
        weight_bytes=case.weights.active,
        kv_bytes=need.kv_cache / tokens * min(DEPTH, case.context_length) + need.recurrent_state / case.parallel,
        active_parameters=case.weights.active_parameters,
        packed=case.packed,
        routed=bool(case.weights.routed),
    )
