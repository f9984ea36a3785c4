"""What is chosen, on a screen: the need as understood, the steps, the models with their reasons and commands."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from weigh.core.units import in_bytes
from weigh.fit.choice import Choice, Chosen, Heard, Step
from weigh.knowledge.catalog import kinds, tasks
from weigh.text import Language, safe, say
from weigh.text.wrap import wrap

_WIDTH = 100
_STYLE = {"fits": "green", "tight": "yellow", "offload": "yellow", "no": "red"}


def chosen_lines(chosen: Chosen, language: Language) -> RenderableType:
    """The whole answer."""
    return Group(*_blocks(chosen, language))


def _blocks(chosen: Chosen, language: Language) -> Iterator[RenderableType]:
    heard = say("choose.between", language).join(_heard(one, language) for one in chosen.need)
    yield Text(wrap(say("choose.understood", language, heard=heard), _WIDTH), style="dim")
    for number, step in enumerate(chosen.kinds, 1):
        yield Text()
        yield _head(number if len(chosen.kinds) > 1 else None, step, language)
        found = [choice for choice in chosen.choices if choice.task == step.task]
        if not found:
            yield Text("  " + say("choose.none", language), style="yellow")
        for choice in found:
            yield from _choice(choice, language)
    if chosen.excluded:
        counts = (say(f"choose.left.{one.reason}", language, count=one.count) for one in chosen.excluded)
        yield Text()
        yield Text(say("choose.left_out", language, counts=say("choose.between", language).join(counts)), style="dim")


def _heard(one: Heard, language: Language) -> str:
    value = _value(one, language)
    if one.origin == "words":
        return say(f"choose.heard.{one.what}", language, value=value, words=safe(one.words or ""))
    said = say(f"choose.by.{one.origin}", language)
    return say(f"choose.heard.{one.what}", language, value=value, words=said)


def _value(one: Heard, language: Language) -> str:
    match one.what:
        case "task":
            return _task(one.value, language)
        case "kind":
            return safe(getattr(kinds()[one.value].names, language))
        case "prefer":
            return say(f"choose.prefer.{one.value}", language)
        case _:
            return safe(one.value)


def _head(number: int | None, step: Step, language: Language) -> RenderableType:
    line = Text(f"{number}. " if number is not None else "", style="bold cyan")
    known = kinds()[step.kind].names
    line.append(say("choose.step", language, task=_task(step.task, language), kind=getattr(known, language)))
    return Group(line, Text("  " + say(step.why, language), style="dim"))


def _choice(choice: Choice, language: Language) -> Iterator[RenderableType]:
    fit = choice.fit
    line = Text(f"  {safe(choice.name)}", style="bold")
    line.append(f"  {safe(choice.quantisation or '')}", style="default")
    line.append(f"  {say(f'fit_verdict.{fit.verdict}', language)}", style=_STYLE[fit.verdict])
    line.append(f"  {in_bytes(fit.memory.total)}  {safe(fit.device)}  {safe(fit.engine)}", style="default")
    yield Text()
    yield line
    reasons = say("choose.between", language).join(say(one, language) for one in choice.why)
    yield Padding(Text(wrap(reasons, _WIDTH)), (0, 0, 0, 4))
    ids = [f"hf:{choice.repo_ids.hf}", *([f"ms:{choice.repo_ids.ms}"] if choice.repo_ids.ms else [])]
    yield Padding(Text("  ".join(map(safe, [*ids, choice.file])), style="dim"), (0, 0, 0, 4))
    for command in choice.commands:
        yield Padding(Text("$ " + safe(command, longest=400)), (0, 0, 0, 4))


def _task(id: str, language: Language) -> str:
    known = tasks().get(id)
    return safe(id) if known is None else safe(getattr(known.names, language))
