"""Will it run: a report's model, or a name alone, placed on devices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from weigh.app.attached import Beside, joined
from weigh.app.exact import exactly
from weigh.app.weights import is_mlx, label_of, largest_part, mix, weights_of
from weigh.core.architecture import Architecture, Layer
from weigh.core.errors import BadReference
from weigh.core.fit import Fit
from weigh.core.hardware import Device
from weigh.core.name import Name
from weigh.core.report import Report
from weigh.core.value import Value
from weigh.fit import vllm
from weigh.fit.bases import base_of, shape_of
from weigh.fit.case import ENGINES, Case
from weigh.fit.curve import Curve, curve
from weigh.fit.devices import GB, budget_of, device
from weigh.fit.llamacpp import KV_BYTES, Setting, compute
from weigh.fit.place import place
from weigh.fit.purposes import PURPOSES, Purpose, Training
from weigh.knowledge.base_models import BaseModelRow
from weigh.knowledge.gguf_recipes import gguf_recipes
from weigh.sources.machine import Host, Run, look

DEFAULT_CONTEXT = 8192
MOST_CONTEXT = 1 << 28
MOST_PARALLEL = 4096
MOST_SIDE = 1 << 16
DEFAULT_QUANT = "Q4_K_M"
_ATTENDS = ("full", "sliding")
DOUBT = 2.5  # how far the cache of a network that nobody described may lie from the usual, either way
# Bytes of cache a token takes in a network with shared heads, by the square root of its parameters in billions.
KV_PER_ROOT = 40_000
# What a network does by the class that it is, whatever it is called.
_BUILT: tuple[tuple[re.Pattern[str], Purpose], ...] = (
    (re.compile(r"Whisper|ForSpeechSeq2Seq|ForCTC|AudioClassification"), "hear"),
    (re.compile(r"For(?:Sequence|Token|Image)Classification|ForMaskedLM|ForQuestionAnswering|ForZeroShot"), "embed"),
    (re.compile(r"(?:Bert|Roberta|MPNet|BGE|CLIP|Siglip|ViT|Dinov\d)\w*Model\b|(?:^|[ -])bert\b"), "embed"),
)


class Wish(Value, frozen=True, kw_only=True):
    """What was asked for; None leaves the choice to us. `exact`: by llama.cpp's own account;
    `size`: of pictures, across, down and frames. `kv_values`: the type of cached values, where it is another.
    """

    engine: str | None = None
    context_length: int | None = None
    kv: str = "f16"
    kv_values: str | None = None
    parallel: int = 1
    ubatch: int = 512
    flash_attention: bool = True
    quant: str | None = None
    exact: bool | None = None
    train: Training | None = None
    size: tuple[int, int, int] = (1024, 1024, 1)


def fits(report: Report, devices: Sequence[Device], wish: Wish, beside: Beside | None = None) -> tuple[Fit, ...]:
    """One Fit a device. Raises BadReference for a wish that cannot be, or where nothing says how large it is."""
    engine, case = _asked(report, wish, beside)
    if engine in ("llama.cpp", "ollama") and case.purpose == "generate" and wish.exact is not False:
        case = exactly(report, case, asked=wish.exact is True)
    return tuple(place(case, device, engine) for device in devices)


def curves(report: Report, devices: Sequence[Device], wish: Wish, beside: Beside | None = None) -> tuple[Curve, ...]:
    """Memory over context, a Curve a device. Raises as `fits` does."""
    engine, case = _asked(report, wish, beside)
    return tuple(curve(case, engine, device) for device in devices)


def _asked(report: Report, wish: Wish, beside: Beside | None) -> tuple[str, Case]:
    _check(wish)
    case = _case(report, wish)
    if case.train is not None:
        return "transformers", case
    usual = {"draw": "diffusers", "generate": _engine(report, wish)}.get(case.purpose, "transformers")
    if report.model is not None and report.model.format is not None and report.model.format.value == "gguf":
        usual = "llama.cpp"
    engine = wish.engine or usual
    small = msgspec.structs.replace(wish, quant=None)
    return engine, joined(case, report, beside or Beside(), engine, lambda other: _case(other, small))


def _purpose(report: Report) -> Purpose:
    """By what kind of model it is called."""
    if report.format == "diffusers":
        return "draw"
    model = report.model
    shape = model.architecture if model is not None else None
    built = f"{shape.class_name or ''} {shape.model_type or ''}" if shape is not None else ""
    if (known := next((purpose for words, purpose in _BUILT if words.search(built)), None)) is not None:
        return known
    if model is not None and model.format is not None and model.format.value == "gguf":
        return "generate"
    return PURPOSES.get(report.name.kind, "generate") if report.name is not None else "generate"


def with_fits(report: Report, devices: Sequence[Device]) -> Report:
    """The report with a Fit a device, by the closed forms; as it was where nothing says how large the model is."""
    if report.error is not None or not devices or (report.model is None and report.name is None):
        return report
    try:
        found = fits(report, devices, Wish(exact=False))
    except BadReference:
        return report
    return msgspec.structs.replace(report, fits=found)


def devices_of(texts: Iterable[str], run: Run) -> tuple[Device, ...]:
    """Those named; `cpu` and nothing at all mean this machine. Raises BadReference."""
    named = tuple(texts)
    if not named:
        return here(look(run))
    return tuple(found for text in named for found in _named(text, run))


def here(host: Host) -> tuple[Device, ...]:
    """This machine's accelerators, then its processor."""
    found = []
    for accelerator in host.accelerators:
        try:
            known = device(accelerator.name)
        except BadReference:
            continue
        memory = accelerator.memory or known.memory
        free = accelerator.free if accelerator.free is not None else memory
        budget = min(budget_of(known.device_class, memory), free)
        found.append(msgspec.structs.replace(known, memory=memory, budget=budget))
    return (*_alike(found), _processor(host))


def _alike(devices: Sequence[Device]) -> tuple[Device, ...]:
    """Cards of one kind with about the same room count as several of one; the smallest room counts."""
    by_name: dict[str, list[Device]] = {}
    for one in devices:
        by_name.setdefault(one.name, []).append(one)
    return tuple(
        msgspec.structs.replace(same[0], count=len(same), budget=min(one.budget for one in same))
        for same in by_name.values()
    )


def _named(text: str, run: Run) -> tuple[Device, ...]:
    if text.strip().lower() in ("cpu", "here", "this", "本机"):
        found = here(look(run))
        return found[-1:] if text.strip().lower() == "cpu" else found
    return (device(text),)


def _processor(host: Host) -> Device:
    """Bandwidth is what such a machine usually has: two channels of memory, or eight where it has many cores."""
    try:
        known = device(host.processor)
    except BadReference:
        known = device("DDR5-5600" if host.cores <= 32 else "EPYC 9654")
    bandwidth = min(known.bandwidth, host.cores * 12e9)  # one core reads no more than that
    return Device(
        name=host.processor,
        device_class="cpu",
        memory=host.memory,
        budget=max(host.available - GB // 2, 0),
        bandwidth=bandwidth,
        tflops={"fp32": host.cores * 0.08},
        cores=host.cores,
        confidence="low",
        source=known.source,
    )


def _check(wish: Wish) -> None:
    if wish.engine is not None and wish.engine not in ENGINES:
        raise BadReference("fit.engine", engine=wish.engine, known=", ".join(ENGINES))
    known = vllm.KV_BYTES if wish.engine == "vllm" else KV_BYTES
    for kind in (wish.kv, wish.kv_values or wish.kv):
        if kind not in known:
            raise BadReference("fit.kv", kv=kind, known=", ".join(known))
    if wish.context_length is not None and not 0 < wish.context_length <= MOST_CONTEXT:
        raise BadReference("fit.context", context=wish.context_length, most=MOST_CONTEXT)
    if not 0 < wish.parallel <= MOST_PARALLEL or not 0 < wish.ubatch <= 1 << 16:
        raise BadReference("fit.parallel", parallel=wish.parallel, ubatch=wish.ubatch)
    if not all(0 < side <= MOST_SIDE for side in wish.size):
        raise BadReference("fit.size", size="x".join(map(str, wish.size)), most=MOST_SIDE)


def _engine(report: Report, wish: Wish) -> str:
    """llama.cpp for GGUF and where nothing is said, vLLM for other labels, transformers for files of torch's."""
    model = report.model
    label = wish.quant or label_of(report.name)
    if wish.quant is None and is_mlx(report):
        return "mlx"
    if label is not None and (wish.quant is not None or model is None):
        return "llama.cpp" if mix(label.upper()) in gguf_recipes() else "vllm"
    if model is not None and model.format is not None and model.format.value != "gguf":
        return "transformers"
    return "llama.cpp"


def _case(report: Report, wish: Wish) -> Case:
    name = report.name
    shape, limit, base = _shape(report)
    if wish.context_length is not None and limit is not None and wish.context_length > limit:
        raise BadReference("fit.beyond", context=wish.context_length, limit=limit)
    purpose = _purpose(report)
    usual = DEFAULT_QUANT if purpose == "generate" and wish.train is None else "F16"
    weights, basis, packed = weights_of(report, shape, wish.quant, usual)
    basis = "name" if base is not None and basis == "config" else basis
    length = wish.context_length or min(DEFAULT_CONTEXT, limit or DEFAULT_CONTEXT)
    return Case(
        name=report.reference.name if report.reference.hub == "path" else _called(report, name),
        weights=weights,
        packed=packed,
        basis=basis,
        shapes=base.id if base is not None and shape is not None else None,
        quant=None if basis == "header" else (wish.quant or label_of(name) or usual).upper(),
        estimated=_estimated(shape, basis, length, purpose if wish.train is None else "train"),
        architecture=shape,
        kv_per_token=round(KV_PER_ROOT * max(weights.parameters / 1e9, 0.05) ** 0.5) if shape is None else None,
        doubt=DOUBT if shape is None else 1.0,
        context_length=length,
        parallel=wish.parallel,
        ubatch=wish.ubatch,
        kv=wish.kv,
        kv_values=wish.kv_values,
        flash_attention=wish.flash_attention,
        purpose=purpose,
        train=wish.train,
        pixels=wish.size[0] * wish.size[1],
        frames=wish.size[2],
        part=largest_part(report) if purpose == "draw" else None,
    )


def _shape(report: Report) -> tuple[Architecture | None, int | None, BaseModelRow | None]:
    """The network's, its longest context, and the base model whose published shape that is, where it is."""
    model = report.model
    shape = model.architecture if model is not None else None
    limit = model.context_length.value if model is not None and model.context_length is not None else None
    if shape is not None and shape.layers and shape.hidden_size:
        if not all(_is_whole(layer) for layer in shape.layers) or {layer.attention for layer in shape.layers} == {
            "none"
        }:
            raise BadReference("fit.headless", text=report.reference.text)
        return shape, limit, None
    base = base_of(report.name) if report.name is not None else None
    if base is None:
        return None, limit, None
    shape = shape_of(base)
    return shape, limit or (shape.context_length if shape is not None else None), base


def _is_whole(layer: Layer) -> bool:
    return layer.attention not in _ATTENDS or bool(layer.num_key_value_heads)


def _estimated(shape: Architecture | None, basis: str, length: int, purpose: str) -> tuple[str, ...]:
    """Terms that are no count: all of them where no text is written."""
    if purpose != "generate":
        return ("weights", "kv_cache", "compute", "training", "overhead")
    weights = () if basis == "header" else ("weights",)
    if shape is None:
        return (*weights, "kv_cache", "compute")
    known = compute(shape, Setting(context_length=length)) is not None
    return weights if known else (*weights, "compute")


def _called(report: Report, name: Name | None) -> str:
    return name.name if name is not None else str(report.reference)
