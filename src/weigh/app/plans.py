"""How a model is taken on a device: which packing, laid out by `fit`, which file, which commands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from weigh.app.candidates import Able, named_so
from weigh.app.fit import Wish, fits
from weigh.app.measured import set_right
from weigh.app.need import Understood
from weigh.core.errors import BadReference
from weigh.core.fit import VERDICTS, Fit
from weigh.core.hardware import Device
from weigh.core.reference import Reference
from weigh.core.report import Report
from weigh.core.schema import SCHEMA
from weigh.fit.choice import Step
from weigh.fit.purposes import PURPOSES
from weigh.fit.rank import COARSE
from weigh.knowledge.measured import Measured
from weigh.knowledge.takings import Taking, givings, takings

TRAINING_CONTEXT = 2048  # tokens of an example, where nobody says
_LOCAL = ("llama.cpp", "ollama", "mlx")
_PACKED_IN = {"AWQ-4bit": ("awq", "gptq")}  # labels nobody makes on the fly


class Here(NamedTuple):
    """Where it is to run, and what was measured there before."""

    devices: Sequence[Device]
    measured: Sequence[Measured] = ()


class Plan(NamedTuple):
    fit: Fit
    label: str | None
    taking: Taking


def plan_of(model: Able, step: Step, need: Understood, here: Here) -> Plan | None:
    """The finest packing that goes there whole, else the best of what just fits or goes there in part."""
    found: list[Plan] = []
    for device in here.devices:
        for taking in _takings(model.family.kind, step.task, need, device):
            for label in _labels(model, taking, need, device):
                fit = _fit(model, taking, label, need, device)
                if fit is None or fit.verdict == "no":
                    continue
                (fit,) = set_right((fit,), here.measured)
                if fit.verdict == "fits":
                    return Plan(fit, label, taking)
                if fit.verdict == "tight" or label not in COARSE:
                    found.append(Plan(fit, label, taking))
    # what goes there in part is the quicker the smaller it is, and no reason to take the coarsest
    return min(found, key=lambda plan: (VERDICTS.index(plan.fit.verdict), plan.fit.memory.total), default=None)


def file_of(model: Able, plan: Plan) -> tuple[str, str]:
    """The repository and what of it is loaded: its safetensors, or a file packed from them."""
    packed = f"{model.id}-{plan.label}"
    if plan.label is not None and packed in model.family.hf:
        return packed, "*.safetensors"
    if not _is_packed(model, plan):
        return model.id, "*.safetensors"
    made = packed.rpartition("/")[2]
    return model.id, made if plan.fit.engine == "vllm" else f"{made}.gguf"


def commands_of(model: Able, plan: Plan, step: Step, file: tuple[str, str], need: Understood) -> Iterator[str]:
    """Fetch, pack where that is wanting, run with what the task takes; then the engine's own line."""
    id, held = file
    tail = id.rpartition("/")[2]
    yield shlex.join(["weigh", "pull", f"ms:{model.ms}" if need.hub == "ms" else f"hf:{id}", "--to", tail])
    if need.train is not None:
        return
    made = tail if held == "*.safetensors" else held
    if made != tail:
        yield shlex.join(["weigh", "convert", tail, made, "--quant", plan.label or ""])
    if (given := givings().get(step.task)) is not None:
        yield shlex.join(["weigh", "run", made, *given.arguments])
    if plan.fit.command is not None:
        yield plan.fit.command.replace(shlex.quote(model.name.name), shlex.quote(made), 1)


def _takings(kind: str, task: str, need: Understood, device: Device) -> Iterator[Taking]:
    """By the task where it says so; on a card of a data centre as a server, then as on any other; else by the kind."""
    if f"task.{task}" in takings():
        yield takings()[f"task.{task}"]
        return
    server = takings().get(f"{kind}.server")
    if server is not None and (need.engine == "vllm" or device.device_class in ("hbm", "npu")):
        yield server
    if server is None or need.engine != "vllm":
        yield takings()[kind]


def _labels(model: Able, taking: Taking, need: Understood, device: Device) -> tuple[str | None, ...]:
    if need.train is not None:
        return (None,)
    if model.aptitude.packed is not None:
        return (model.aptitude.packed,)
    slow = device.device_class == "cpu" and need.prefer is None and taking.engine == "llama.cpp"
    wanted = need.prefer or ("memory" if slow else "balanced")
    ladder: tuple[str, ...] = getattr(taking, wanted)
    if need.engine == "transformers":
        ladder = ("F16",)
    return tuple(label for label in ladder if _is_had(model, label))


def _is_had(model: Able, label: str) -> bool:
    return label not in _PACKED_IN or bool(set(_PACKED_IN[label]) & set(model.family.formats))


def _fit(model: Able, taking: Taking, label: str | None, need: Understood, device: Device) -> Fit | None:
    """By the one way that `weigh fit` goes; None where that cannot say."""
    kind = taking.called or ("multimodal" if model.name.kind in PURPOSES else None)
    wish = Wish(
        engine=need.engine if need.engine in _LOCAL and taking.engine == "llama.cpp" else taking.engine,
        context_length=need.context_length or (TRAINING_CONTEXT if need.train is not None else None),
        quant=label,
        exact=False,
        train=need.train,
        size=taking.picture or Wish().size,
    )
    report = Report(
        schema=SCHEMA, reference=Reference(text=model.id, hub="name", name=model.id), name=named_so(model, kind)
    )
    try:
        return fits(report, (device,), wish)[0]
    except BadReference:
        return None


def _is_packed(model: Able, plan: Plan) -> bool:
    """Is it to be packed otherwise than it is published? llama.cpp takes its own files alone."""
    if plan.fit.engine in ("llama.cpp", "ollama") and plan.label is not None:
        return True
    if plan.label == "FP8" and f"{model.id}-BF16" in model.family.hf:
        return False  # what has a sibling in sixteen bits is itself in eight
    return plan.label not in (None, "F16", "BF16", model.aptitude.packed)
