"""`weigh choose`: from a need to the kinds of model it takes, the models that run here, and how to start them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from weigh.app.candidates import Able, able, shut_out
from weigh.app.fit import devices_of
from weigh.app.need import Asked, Understood, language_called, task_called, understand
from weigh.app.plans import Here, commands_of, file_of, plan_of
from weigh.app.reasons import merit_of, why
from weigh.app.search import exact
from weigh.core.errors import BadReference
from weigh.core.fit import Fit
from weigh.core.hardware import Device
from weigh.core.saying import Saying
from weigh.core.schema import SCHEMA
from weigh.fit.case import ENGINES
from weigh.fit.choice import Choice, Chosen, Heard, Ids, Left, Step, Terms
from weigh.fit.devices import GB
from weigh.fit.rank import Merit, worth
from weigh.knowledge.aptitudes import aptitudes
from weigh.knowledge.catalog import Kind, Licence, families, kinds, tasks
from weigh.knowledge.measured import Measured
from weigh.knowledge.takings import pipelines, takings
from weigh.sources.machine import Run, start

USUAL_TASK = "chat-assistant"
MOST_CHOICES = 50
SLOW_IN_PART = 8.0  # tokens a second
_CLASSES = ("commercial", "conditional")
_KINDS = {"semantic-search": "embedding", "recommendation": "embedding", "reranking": "rerank"}


def choose(
    need: str = "",
    asked: Asked | None = None,
    *,
    limit: int = 3,
    run: Run = start,
    measured: Sequence[Measured] = (),
) -> Chosen:
    """Up to `limit` models a step, the best first; none for what asks for no model. `measured` sets speeds right.

    Raises BadReference for an option that nobody knows.
    """
    options = _checked(asked or Asked(), limit)
    understood = understand(need, options)
    if understood.is_nothing:
        return Chosen(schema=SCHEMA, query=need or None, need=understood.heard)
    devices = devices_of((understood.device,) if understood.device else (), run)
    heard = [*(_resolved(one, devices) for one in understood.heard), *_supposed(understood, devices)]
    steps = _steps(understood)
    left: Counter[str] = Counter()
    here = Here(devices, measured)
    choices = [choice for step in steps for choice in _best(step, understood, here, left)[:limit]]
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
        yield from (Heard(what="device", value=_called(one), origin="machine") for one in devices)


def _resolved(one: Heard, devices: Sequence[Device]) -> Heard:
    """Of a device the product that was understood."""
    named = ", ".join(map(_called, devices))
    return msgspec.structs.replace(one, value=named) if one.what == "device" else one


def _called(device: Device) -> str:
    memory = "" if "GB" in device.name else f" {round(device.memory / GB)}GB"
    return f"{device.count}x {device.name}{memory}" if device.count > 1 else device.name + memory


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


def _best(step: Step, need: Understood, here: Here, left: Counter[str]) -> list[Choice]:
    """One model a family, the best first; what is left out is counted."""
    best: dict[str, Choice] = {}
    for row in families().values():
        if row.kind in tasks()[step.task].kinds and row.weights == "closed" and row.status == "current":
            left["closed"] += 1
    for model in able(step.task):
        reason = _of_other_kind(model, need) or shut_out(model, need)
        choice = _choice(model, step, need, here) if reason is None else None
        if choice is None:
            left[reason or "device"] += 1
            continue
        other = best.get(choice.family)
        if other is None or choice.score > other.score:
            best[choice.family] = choice
    return _foremost(best, step, need, left)


def _foremost(best: Mapping[str, Choice], step: Step, need: Understood, left: Counter[str]) -> list[Choice]:
    """Without those whose successor runs here too, and those that only can where another is made for it."""
    grades = {row.id: row.tasks.get(step.task, 0) for row in aptitudes()}
    grades |= {row.id: 3 for row in aptitudes() if need.field is not None and row.field == need.field}
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


def _choice(model: Able, step: Step, need: Understood, here: Here) -> Choice | None:
    """How it is taken here; None where it does not run."""
    plan = plan_of(model, step, need, here)
    if plan is None or model.size is None:
        return None
    family = model.family
    id, file = file_of(model, plan)
    merit = merit_of(model, model.size, step, plan, need)
    return Choice(
        id=f"ms:{model.ms}" if need.hub == "ms" else f"hf:{id}",
        name=id.rpartition("/")[2],
        family=family.id,
        kind=family.kind,
        task=step.task,
        why=tuple(why(model, merit, plan.fit, need)),
        score=worth(merit, plan.fit),
        superseded_by=family.successors if family.status != "current" else (),
        licence=Terms(id=model.licence.id if model.licence is not None else None, commercial=merit.commercial),
        repo_ids=Ids(hf=id, ms=model.ms),
        size=_written(merit),
        quantisation=plan.label,
        file=file,
        fit=plan.fit,
        commands=tuple(commands_of(model, plan, step, (id, file), need)),
    )


def _written(merit: Merit) -> str:
    total = f"{float(f'{merit.total_b:.3g}'):g}B"
    return total if merit.active_b == merit.total_b else f"{total}-A{merit.active_b:.3g}B"
