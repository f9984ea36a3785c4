"""`weigh choose`: from a need to the kinds of model it takes, the models that run here, and how to start them."""

from __future__ import annotations

import functools
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from weigh.app.candidates import Able, able, named_so, shut_out
from weigh.app.fit import Wish, devices_of, fits
from weigh.app.need import Asked, Understood, language_called, task_called, understand
from weigh.app.search import exact
from weigh.core.errors import BadReference
from weigh.core.fit import VERDICTS, Fit
from weigh.core.hardware import Device
from weigh.core.name import Size
from weigh.core.reference import Reference
from weigh.core.report import Report
from weigh.core.saying import Saying
from weigh.core.schema import SCHEMA
from weigh.fit.case import ENGINES
from weigh.fit.choice import Choice, Chosen, Heard, Ids, Left, Step, Terms
from weigh.fit.purposes import PURPOSES
from weigh.fit.rank import COARSE, Merit, worth
from weigh.knowledge.aptitudes import aptitudes
from weigh.knowledge.catalog import AS_OF, Kind, Licence, families, kinds, tasks
from weigh.knowledge.takings import Taking, pipelines, takings
from weigh.sources.machine import Run, start

USUAL_TASK = "chat-assistant"
MOST_CHOICES = 50
SLOW_IN_PART = 8.0  # tokens a second
_CLASSES = ("commercial", "conditional")
_LOCAL = ("llama.cpp", "ollama", "mlx")
_PACKED_IN = {"AWQ-4bit": ("awq", "gptq")}  # labels nobody makes on the fly
_KINDS = {"semantic-search": "embedding", "recommendation": "embedding", "reranking": "rerank"}


def choose(need: str = "", asked: Asked | None = None, *, limit: int = 3, run: Run = start) -> Chosen:
    """Up to `limit` models a step, the best first; none for what asks for no model.

    Raises BadReference for an option that nobody knows.
    """
    options = _checked(asked or Asked(), limit)
    understood = understand(need, options)
    if understood.is_nothing:
        return Chosen(schema=SCHEMA, query=need or None, need=understood.heard)
    devices = devices_of((understood.device,) if understood.device else (), run)
    heard = [*understood.heard, *_supposed(understood, devices)]
    steps = _steps(understood)
    left: Counter[str] = Counter()
    choices = [choice for step in steps for choice in _best(step, understood, devices, left)[:limit]]
    return Chosen(
        schema=SCHEMA,
        query=need or None,
        need=tuple(heard),
        kinds=steps,
        choices=tuple(choices),
        excluded=tuple(Left(reason=reason, count=count) for reason, count in sorted(left.items())),
    )


def _checked(asked: Asked, limit: int) -> Asked:
    """The options with what they name found in the tables. Raises BadReference."""
    if not 0 < limit <= MOST_CHOICES:
        raise BadReference("choose.limit", limit=limit, most=MOST_CHOICES)
    if asked.engine is not None and asked.engine not in ENGINES:
        raise BadReference("fit.engine", engine=asked.engine, known=", ".join(ENGINES))
    return Asked(
        task=_task(asked.task),
        device=asked.device,
        language=",".join(map(language_called, asked.language.split(","))) if asked.language else None,
        licence=_licence(asked.licence),
        context_length=asked.context_length,
        max_size_b=asked.max_size_b,
        kind=_kind(asked.kind),
        engine=asked.engine,
        hub=asked.hub,
    )


def _task(named: str | None) -> str | None:
    if named is None:
        return None
    if (meant := task_called(named)) is None:
        raise BadReference("choose.task", task=named, tasks=", ".join(tasks()))
    return meant


def _kind(named: str | None) -> str | None:
    if named is None:
        return None
    meant = next((found.id for found in exact(named) if isinstance(found, Kind)), None)
    if meant is None:
        raise BadReference("choose.kind", kind=named, kinds=", ".join(kinds()))
    return meant


def _licence(named: str | None) -> str | None:
    if named is None or named in _CLASSES:
        return named
    meant = next((found.id for found in exact(named) if isinstance(found, Licence)), None)
    if meant is None:
        raise BadReference("catalog.licence", licence=named)
    return meant


def _supposed(need: Understood, devices: Sequence[Device]) -> Iterator[Heard]:
    """What nobody said and is taken to be so."""
    if not need.tasks and (need.kind is None or _usual_of(need.kind) == USUAL_TASK):
        yield Heard(what="task", value=USUAL_TASK, origin="usual")
    if not need.device:
        yield from (Heard(what="device", value=one.name, origin="machine") for one in devices)


def _steps(need: Understood) -> tuple[Step, ...]:
    """The parts of the whole in their order; of a kind that was asked for, those alone."""
    named = need.tasks or (_usual_of(need.kind),)
    parts = [part for task in named for part in (pipelines()[task].steps if task in pipelines() else (task,))]
    steps = [_step(task, need) for task in dict.fromkeys(parts)]
    of_kind = [step for step in steps if step.kind == need.kind]
    return tuple(of_kind or steps)


def _usual_of(kind: str | None) -> str:
    taking = takings().get(kind) if kind is not None else None
    return (taking.task if taking is not None else None) or USUAL_TASK


def _step(task: str, need: Understood) -> Step:
    """Its kind: what was asked for if any model of it can do this, else the task's own."""
    kind = _KINDS.get(task, tasks()[task].kinds[0])
    if need.kind is not None and any(model.family.kind == need.kind for model in able(task)):
        kind = need.kind
    return Step(task=task, kind=kind, why=Saying(f"choose.kind.{kind}"))


def _best(step: Step, need: Understood, devices: Sequence[Device], left: Counter[str]) -> list[Choice]:
    """One model a family, the best first; what is left out is counted."""
    best: dict[str, Choice] = {}
    for row in families().values():
        if row.kind in tasks()[step.task].kinds and row.weights == "closed" and row.status == "current":
            left["closed"] += 1
    for model in able(step.task):
        reason = _of_other_kind(model, need) or shut_out(model, need)
        choice = _choice(model, step, need, devices) if reason is None else None
        if choice is None:
            left[reason or "device"] += 1
            continue
        other = best.get(choice.family)
        if other is None or choice.score > other.score:
            best[choice.family] = choice
    return _foremost(best, step, left)


def _foremost(best: Mapping[str, Choice], step: Step, left: Counter[str]) -> list[Choice]:
    """Without those whose successor runs here too, and those that only can where another is made for it."""
    grades = {row.id: row.tasks.get(step.task, 0) for row in aptitudes()}
    most = max((grades[id] for id in best), default=0)
    is_whole = any(choice.fit.verdict == "fits" for choice in best.values())
    kept = []
    for id, choice in best.items():
        if choice.superseded_by and _successors(id) & best.keys():
            left["superseded"] += 1
        elif grades[id] + 1 < most:
            left["weaker"] += 1
        elif is_whole and _is_slow(choice.fit):
            left["slow"] += 1
        else:
            kept.append(choice)
    return sorted(kept, key=lambda choice: (-choice.score, choice.family))


def _is_slow(fit: Fit) -> bool:
    """In part on the device, and slower for it than one reads."""
    rate = fit.speed.decode.typical if fit.speed is not None and fit.speed.decode is not None else None
    return fit.verdict == "offload" and rate is not None and rate < SLOW_IN_PART


def _successors(id: str) -> set[str]:
    """Whatever replaced it, and what replaced that."""
    found: set[str] = set()
    waiting = list(families()[id].successors)
    while waiting:
        after = waiting.pop()
        if after not in found:
            found.add(after)
            waiting += families()[after].successors
    return found


def _of_other_kind(model: Able, need: Understood) -> str | None:
    """A kind that an option names is meant to the letter."""
    strict = any(one.what == "kind" and one.origin == "option" for one in need.heard)
    return "kind" if strict and model.family.kind != need.kind else None


class _Plan(NamedTuple):
    fit: Fit
    label: str | None
    taking: Taking


def _choice(model: Able, step: Step, need: Understood, devices: Sequence[Device]) -> Choice | None:
    """How it is taken here; None where it does not run."""
    plan = _plan(model, step, need, devices)
    if plan is None or model.size is None:
        return None
    family = model.family
    id, file = _file(model, plan)
    merit = _merit(model, model.size, step, plan, need)
    return Choice(
        id=f"ms:{model.ms}" if need.hub == "ms" else f"hf:{id}",
        name=id.rpartition("/")[2],
        family=family.id,
        kind=family.kind,
        task=step.task,
        why=tuple(_why(model, merit, plan.fit, need)),
        score=worth(merit, plan.fit),
        superseded_by=family.successors if family.status != "current" else (),
        licence=Terms(id=model.licence.id if model.licence is not None else None, commercial=merit.commercial),
        repo_ids=Ids(hf=id, ms=model.ms),
        size=_written(merit),
        quantisation=plan.label,
        file=file,
        fit=plan.fit,
        commands=tuple(_commands(model, plan, id, file, need)),
    )


def _merit(model: Able, size: Size, step: Step, plan: _Plan, need: Understood) -> Merit:
    family = model.family
    return Merit(
        grade=model.aptitude.tasks[step.task],
        is_current=family.status == "current",
        years=_years(family.released),
        total_b=size.total_b or 0.0,
        active_b=size.active_b or size.total_b or 0.0,
        by_size=plan.taking.by_size,
        has_field=need.field is not None and model.aptitude.field == need.field,
        is_at_home=bool(need.languages) and set(need.languages) <= set(model.aptitude.languages),
        confidence=family.confidence,
        commercial=model.licence.commercial if model.licence is not None else None,
        wants_speed=need.prefer == "speed",
    )


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


def _plan(model: Able, step: Step, need: Understood, devices: Sequence[Device]) -> _Plan | None:
    """The finest packing that goes there whole, else the best of what just fits or goes there in part."""
    found: list[_Plan] = []
    for device in devices:
        for taking in _takings(model.family.kind, step.task, need, device):
            for label in _labels(model, taking, need, device):
                fit = _fit(model, taking, label, need, device)
                if fit is None or fit.verdict == "no":
                    continue
                if fit.verdict == "fits":
                    return _Plan(fit, label, taking)
                if fit.verdict == "tight" or label not in COARSE:
                    found.append(_Plan(fit, label, taking))
    # what goes there in part is the quicker the smaller it is, and no reason to take the coarsest
    return min(found, key=lambda plan: (VERDICTS.index(plan.fit.verdict), plan.fit.memory.total), default=None)


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
        context_length=need.context_length,
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


def _file(model: Able, plan: _Plan) -> tuple[str, str]:
    """The repository and what of it is loaded: its safetensors, or a file packed from them."""
    packed = f"{model.id}-{plan.label}"
    if plan.label is not None and packed in model.family.hf:
        return packed, "*.safetensors"
    if not _is_packed(model, plan):
        return model.id, "*.safetensors"
    made = packed.rpartition("/")[2]
    return model.id, made if plan.fit.engine == "vllm" else f"{made}.gguf"


def _is_packed(model: Able, plan: _Plan) -> bool:
    """Is it to be packed otherwise than it is published? llama.cpp takes its own files alone."""
    if plan.fit.engine in ("llama.cpp", "ollama") and plan.label is not None:
        return True
    return plan.label not in (None, "F16", "BF16", model.aptitude.packed)


def _commands(model: Able, plan: _Plan, id: str, file: str, need: Understood) -> Iterator[str]:
    """Fetch, pack where that is wanting, run; then the engine's own line."""
    tail = id.rpartition("/")[2]
    yield shlex.join(["weigh", "pull", f"ms:{model.ms}" if need.hub == "ms" else f"hf:{id}", "--to", tail])
    if need.train is not None:
        return
    made = tail if file == "*.safetensors" else file
    if made != tail:
        yield shlex.join(["weigh", "convert", tail, made, "--quant", plan.label or ""])
    yield shlex.join(["weigh", "run", made])
    if plan.fit.command is not None:
        yield plan.fit.command.replace(shlex.quote(model.name.name), shlex.quote(made), 1)


def _why(model: Able, merit: Merit, fit: Fit, need: Understood) -> Iterator[Saying]:
    """The reasons for it and against it, the weightiest first."""
    yield Saying(f"choose.grade.{merit.grade}")
    if merit.has_field:
        yield Saying("choose.field")
    if not merit.is_current:
        after = ", ".join(families()[id].names.en for id in model.family.successors)
        yield Saying("choose.superseded_by", names=after) if after else Saying("choose.superseded")
    elif model.family.successors:
        yield Saying("choose.followed", names=", ".join(families()[id].names.en for id in model.family.successors))
    elif model.family.released is not None:
        yield Saying("choose.current", released=model.family.released)
    if need.languages:
        yield Saying("choose.speaks", languages=", ".join(need.languages))
    if model.licence is not None:
        yield Saying(f"choose.licence.{model.licence.commercial}", licence=model.licence.id)
    else:
        yield Saying("choose.licence.unknown")
    yield fit.because
    if fit.speed is not None and fit.speed.decode is not None:
        yield Saying("choose.speed", rate=round(fit.speed.decode.typical))
    if model.family.confidence == "low":
        yield Saying("choose.unsure")


def _written(merit: Merit) -> str:
    total = f"{merit.total_b:g}B"
    return total if merit.active_b == merit.total_b else f"{total}-A{merit.active_b:g}B"


@functools.cache
def _years(released: str | None) -> float:
    """Since its release, on the catalogue's day; a year alone is its middle."""
    if released is None:
        return 2.0
    year, month = int(released[:4]), int(released[5:7] or 7)
    today = date.fromisoformat(AS_OF)
    return max(today.year - year + (today.month - month) / 12, 0.0)
