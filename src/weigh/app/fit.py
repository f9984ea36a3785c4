"""Will it run: a report's model, or a name alone, placed on devices."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from weigh.app.exact import exactly
from weigh.core.architecture import Architecture, Layer
from weigh.core.errors import BadReference
from weigh.core.fit import Fit
from weigh.core.hardware import Device
from weigh.core.model import Model
from weigh.core.name import Name
from weigh.core.report import Report
from weigh.core.value import Value
from weigh.fit.bases import base_of, shape_of
from weigh.fit.case import ENGINES, Case
from weigh.fit.curve import Curve, curve
from weigh.fit.devices import GB, budget_of, device
from weigh.fit.llamacpp import KV_BYTES, Setting, compute
from weigh.fit.place import place
from weigh.fit.purposes import PURPOSES, Purpose, Training
from weigh.fit.weights import Weights, of_bits, of_recipe
from weigh.knowledge.base_models import BaseModelRow
from weigh.knowledge.gguf_recipes import gguf_recipes
from weigh.knowledge.naming import quantisations
from weigh.sources.machine import Host, Run, look

DEFAULT_CONTEXT = 8192
MOST_CONTEXT = 1 << 28
MOST_PARALLEL = 4096
MOST_SIDE = 1 << 16
DEFAULT_QUANT = "Q4_K_M"
_ATTENDS = ("full", "sliding")
_GROUPED = re.compile(r"(\d)-?BIT")
_OWN_MIX = re.compile(r"(Q\d_K)_(?:XL|XXL|P)$")
_PLAIN = {"F16": 16.0, "BF16": 16.0, "FP16": 16.0, "F32": 32.0, "FP32": 32.0}
DOUBT = 2.5  # how far the cache of a network that nobody described may lie from the usual, either way
# Bytes of cache a token takes in a network with shared heads, by the square root of its parameters in billions.
KV_PER_ROOT = 40_000
TEXT_MODALITIES = frozenset({"text"})


class Wish(Value, frozen=True, kw_only=True):
    """What was asked for; None leaves the choice to us. `exact`: by llama.cpp's own account;
    `size`: of pictures, across, down and frames.
    """

    engine: str | None = None
    context_length: int | None = None
    kv: str = "f16"
    parallel: int = 1
    ubatch: int = 512
    flash_attention: bool = True
    quant: str | None = None
    exact: bool | None = None
    train: Training | None = None
    size: tuple[int, int, int] = (1024, 1024, 1)


def fits(report: Report, devices: Sequence[Device], wish: Wish) -> tuple[Fit, ...]:
    """One Fit a device. Raises BadReference for a wish that cannot be, or where nothing says how large it is."""
    engine, case = _asked(report, wish)
    if engine in ("llama.cpp", "ollama") and case.purpose == "generate" and wish.exact is not False:
        case = exactly(report, case, asked=wish.exact is True)
    return tuple(place(case, device, engine) for device in devices)


def curves(report: Report, devices: Sequence[Device], wish: Wish) -> tuple[Curve, ...]:
    """Memory over context, a Curve a device. Raises as `fits` does."""
    engine, case = _asked(report, wish)
    return tuple(curve(case, engine, device) for device in devices)


def _asked(report: Report, wish: Wish) -> tuple[str, Case]:
    _check(wish)
    case = _case(report, wish)
    if case.train is not None:
        return "transformers", case
    usual = {"draw": "diffusers", "generate": _engine(report, wish)}.get(case.purpose, "transformers")
    return wish.engine or usual, case


def _purpose(report: Report) -> Purpose:
    """By what kind of model it is called."""
    found = report.model.format if report.model is not None else None
    if found is not None and found.value == "diffusers":
        return "draw"
    if found is not None and found.value == "gguf":
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
    if wish.kv not in KV_BYTES:
        raise BadReference("fit.kv", kv=wish.kv, known=", ".join(KV_BYTES))
    if wish.context_length is not None and not 0 < wish.context_length <= MOST_CONTEXT:
        raise BadReference("fit.context", context=wish.context_length, most=MOST_CONTEXT)
    if not 0 < wish.parallel <= MOST_PARALLEL or not 0 < wish.ubatch <= 1 << 16:
        raise BadReference("fit.parallel", parallel=wish.parallel, ubatch=wish.ubatch)
    if not all(0 < side <= MOST_SIDE for side in wish.size):
        raise BadReference("fit.size", size="x".join(map(str, wish.size)), most=MOST_SIDE)


def _engine(report: Report, wish: Wish) -> str:
    """llama.cpp for GGUF and where nothing is said, vLLM for other labels, transformers for files of torch's."""
    model = report.model
    label = wish.quant or _label(report.name)
    if wish.quant is None and _is_mlx(report):
        return "mlx"
    if label is not None and (wish.quant is not None or model is None):
        return "llama.cpp" if _mix(label.upper()) in gguf_recipes() else "vllm"
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
    weights, basis, packed = _weights(report, shape, wish, usual)
    basis = "name" if base is not None and basis == "config" else basis
    length = wish.context_length or min(DEFAULT_CONTEXT, limit or DEFAULT_CONTEXT)
    return Case(
        name=report.reference.name if report.reference.hub == "path" else _called(report, name),
        weights=weights,
        packed=packed,
        basis=basis,
        shapes=base.id if base is not None and shape is not None else None,
        quant=None if basis == "header" else (wish.quant or _label(name) or usual).upper(),
        estimated=_estimated(shape, basis, length, purpose if wish.train is None else "train"),
        architecture=shape,
        kv_per_token=round(KV_PER_ROOT * max(weights.parameters / 1e9, 0.05) ** 0.5) if shape is None else None,
        doubt=DOUBT if shape is None else 1.0,
        context_length=length,
        parallel=wish.parallel,
        ubatch=wish.ubatch,
        kv=wish.kv,
        flash_attention=wish.flash_attention,
        purpose=purpose,
        train=wish.train,
        pixels=wish.size[0] * wish.size[1],
        frames=wish.size[2],
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


def _weights(report: Report, shape: Architecture | None, wish: Wish, usual: str) -> tuple[Weights, str, bool]:
    """Bytes: of the files, else of the shape, else of the figure in the name. Raises BadReference."""
    model, name = report.model, report.name
    if wish.quant is None and model is not None and (found := _of_files(model)) is not None:
        bits = model.bits_per_weight
        return found, "header", bits is not None and bits.value < 15
    label = (wish.quant or _label(name) or usual).upper()
    if shape is not None and (found := of_recipe(shape, _mix(label))) is not None:
        return found, "config", label not in ("F16", "BF16", "F32")
    bits_each = _bits(label)
    if (grouped := _GROUPED.fullmatch(label)) is not None and _is_mlx(report):
        bits_each = int(grouped[1]) + 0.5  # a scale and an offset for each 64
    if bits_each is None:
        raise BadReference("fit.quant", quant=label)
    ends = bits_each if grouped is not None and _is_mlx(report) else 16.0
    if shape is not None and (found := of_bits(shape, bits_each, ends=ends)) is not None:
        return found, "config", bits_each < 15
    return _of_name(report, bits_each), "name", bits_each < 15


def _is_mlx(report: Report) -> bool:
    """Packed for Apple's MLX, which leaves no other mark in a name."""
    return re.search(r"(?<![a-z])mlx(?![a-z])", report.reference.text.lower()) is not None


def _mix(label: str) -> str:
    """The recipe that a label goes by: of some makers' own mixes that of the same letter, for they differ by little."""
    plain = label.removeprefix("UD-").removeprefix("I1-")
    if plain in gguf_recipes():
        return plain
    usual = _OWN_MIX.sub(r"\1_M", plain)
    return usual if usual in gguf_recipes() else label


def _of_files(model: Model) -> Weights | None:
    if model.weight_nbytes is None or model.num_parameters is None:
        return None
    total, parameters = model.weight_nbytes.value, model.num_parameters.value
    active = model.num_active_parameters.value if model.num_active_parameters is not None else parameters
    table = _looked_up(model)
    idle = parameters - active
    rate = (total - table) / parameters if parameters else 0.0
    shares = [layer for layer in (model.architecture.layers if model.architecture else ()) if layer.experts]
    routed = round(idle * rate / (1 - _used(shares))) if idle and shares and _used(shares) < 1 else 0
    return Weights(
        total=total,
        active=max(total - table - round(idle * rate), 0),
        routed=min(routed, total),
        parameters=parameters,
        active_parameters=active,
    )


def _used(layers: Sequence[object]) -> float:
    """The share of the experts that a token uses, on average."""
    shares = [getattr(layer, "experts_used", 0) / getattr(layer, "experts", 1) for layer in layers]
    return sum(shares) / len(shares)


def _looked_up(model: Model) -> int:
    """Bytes of the table of which a token reads one row, where the head is another."""
    tensors = [tensor for file in model.files if file.header is not None for tensor in file.header.tensors]
    names = {tensor.name for tensor in tensors}
    if not names & {"output.weight", "lm_head.weight"}:
        return 0
    tables = ("token_embd.weight", "model.embed_tokens.weight", "transformer.wte.weight", "embed_tokens.weight")
    return sum(tensor.nbytes or 0 for tensor in tensors if tensor.name in tables)


def _label(name: Name | None) -> str | None:
    return name.quant.scheme or name.quant.method if name is not None and name.quant is not None else None


def _bits(label: str) -> float | None:
    """Real bits a weight of a label, from the table of quantisations; the digit in it where the table has none."""
    if label in _PLAIN:
        return _PLAIN[label]
    rows = [row for row in quantisations() if label in {(row.scheme or "").upper(), row.id.upper()}]
    real = next((row.bits_per_weight for row in rows if row.bits_per_weight is not None), None)
    nominal = next((row.bits for row in rows if row.bits is not None), None)
    methods = [row for row in quantisations() if (row.method or "").upper() == label]
    return real or (nominal * 1.06 if nominal is not None else None) or (4.25 if methods else None)


def _of_name(report: Report, bits: float) -> Weights:
    size = report.name.size if report.name is not None else None
    base = base_of(report.name) if report.name is not None else None
    total = base.parameters_b if base is not None else size.total_b if size is not None else None
    if size is not None and total is None and size.experts and size.expert_b:
        total = size.experts * size.expert_b * 0.83  # what is not experts counts once: 8x7B is 46.7 B
    if total is None:
        total = size.effective_b if size is not None else None
    if not total:
        raise BadReference("fit.sizeless", text=report.reference.text)
    active = (size.active_b if size is not None else None) or total
    nbytes = round(total * 1e9 * bits / 8)
    share = min(active / total, 1.0)
    return Weights(
        total=nbytes,
        active=round(nbytes * share),
        routed=round(nbytes * (1 - share)) if share < 1 else 0,
        parameters=round(total * 1e9),
        active_parameters=round(active * 1e9),
    )
