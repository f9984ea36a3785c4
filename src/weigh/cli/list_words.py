"""An inventory on a screen and as JSON: the models, what is there twice, what may go."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import to_builtins

from weigh.core.schema import SCHEMA
from weigh.core.units import in_bytes, in_parameters
from weigh.text import Language, place, safe, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from weigh.app.inventory import Double, Inventory, Listed, Spare
    from weigh.app.reclaim import Done, Left, Plan

MOST_MODELS, MOST_DOUBLES, MOST_SPARE = 200, 30, 30


def inventory_lines(
    inventory: Inventory, models: Sequence[Listed], language: Language, *, doubles: bool, broken: bool
) -> RenderableType:
    """A line a model, then what is there twice and what is left of downloads, then what all of it takes."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = []
    if models:
        parts.append(_table(models, language))
    if inventory.doubles and not broken:
        parts += ["", Text(_doubles_line(inventory.doubles, language), style="bold")]
        parts += _double_lines(inventory.doubles, language)
    if inventory.spare and not doubles:
        parts += ["", Text(_spare_line(inventory.spare, language), style="bold")]
        parts += _spare_lines(inventory.spare, language)
    parts += [Text(place(path, None, language) + say(why, language), style="yellow") for path, why in inventory.left]
    parts += ["", Text(total_line(inventory, language), style="bold")]
    if inventory.doubles or any(one.why is not None for one in inventory.spare):
        parts.append(Text(say("inventory.hint", language), style="dim"))
    return Group(*parts)


def total_line(inventory: Inventory, language: Language) -> str:
    """What all of it takes."""
    stores = len({one.store for one in inventory.models})
    return say("inventory.total", language, count=len(inventory.models), stores=stores, nbytes=inventory.nbytes)


def document(inventory: Inventory, models: Sequence[Listed]) -> Mapping[str, object]:
    """As JSON: every list is there, times are UTC."""
    return {
        "schema": SCHEMA,
        "models": [_model(one) for one in models],
        "doubles": [to_builtins(one) for one in inventory.doubles],
        "spare": [to_builtins(one) for one in inventory.spare],
        "left": [{"path": path, "message": why} for path, why in inventory.left],
        "totals": {
            "models": len(inventory.models),
            "nbytes": inventory.nbytes,
            "doubled": sum(one.nbytes * (len(one.copies) - 1) for one in inventory.doubles),
            "spare": sum(one.nbytes for one in inventory.spare),
        },
    }


def plan_lines(plan: Plan, language: Language) -> RenderableType:
    """What would be done, file by file, and what stays."""
    from rich.console import Group
    from rich.text import Text

    lines: list[RenderableType] = []
    for step in plan.steps:
        line = Text("  ")
        line.append(say(f"inventory.act.{step.act}", language), style="cyan")
        line.append(f"  {in_bytes(step.nbytes)}  {safe(step.path)}")
        lines.append(line)
        if step.keeper is not None:
            lines.append(Text("      " + say("inventory.keeper", language, path=step.keeper), style="dim"))
    lines += _left_lines(plan.left, language)
    return Group(*lines, "", Text(planned_line(plan, language), style="bold"))


def planned_line(plan: Plan, language: Language) -> str:
    """How much room the plan gives back."""
    if not plan.steps:
        return say("inventory.nothing", language)
    return say("inventory.planned", language, count=len(plan.steps), nbytes=plan.nbytes)


def done_lines(plan: Plan, done: Sequence[Done], language: Language) -> RenderableType:
    """What was done, and what was not and why."""
    from rich.console import Group
    from rich.text import Text

    lines: list[RenderableType] = []
    for one in done:
        style = "green" if one.result == "done" else "yellow"
        line = Text("  ")
        line.append(say(f"inventory.result.{one.result}", language), style=style)
        line.append(f"  {say(f'inventory.act.{one.act}', language)}  {in_bytes(one.nbytes)}  {safe(one.path)}")
        lines.append(line)
    lines += _left_lines(plan.left, language)
    return Group(*lines, "", Text(done_line(done, language), style="bold"))


def done_line(done: Sequence[Done], language: Language) -> str:
    """How much room was given back."""
    good = [one for one in done if one.result == "done"]
    nbytes = sum(one.nbytes for one in good)
    return say("inventory.done", language, count=len(good), all=len(done), nbytes=nbytes)


def plan_document(plan: Plan, done: Sequence[Done] | None) -> Mapping[str, object]:
    """As JSON; `result` is there once it was done."""
    results = {(one.act, one.path): one.result for one in done or ()}
    steps = []
    for step in plan.steps:
        told: dict[str, object] = {"act": step.act, "path": step.path, "nbytes": step.nbytes, "keeper": step.keeper}
        steps.append(told | ({"result": results[step.act, step.path]} if done is not None else {}))
    return {
        "schema": SCHEMA,
        "done": done is not None,
        "nbytes": plan.nbytes if done is None else sum(one.nbytes for one in done if one.result == "done"),
        "steps": steps,
        "left": [to_builtins(one) for one in plan.left],
    }


def _model(one: Listed) -> Mapping[str, object]:
    """The lists that are empty too; a name by what it says, without how it was read."""
    told: dict[str, object] = {"revisions": [], "formats": [], "quantisations": [], "broken": []}
    told |= to_builtins(one, enc_hook=str)
    told["used"] = _day(one.used, "%Y-%m-%dT%H:%M:%SZ") if one.used is not None else None
    if isinstance(name := told.get("name"), dict):
        told["name"] = {key: value for key, value in name.items() if key not in ("parts", "other_readings")}
    return told


def _table(models: Sequence[Listed], language: Language) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for key in ("store", "model", "what", "size", "used", "state"):
        table.add_column(
            say(f"inventory.column.{key}", language), justify="right" if key == "size" else "left", overflow="fold"
        )
    for one in models[:MOST_MODELS]:
        table.add_row(
            one.store,
            Text(safe(one.model), style="bold"),
            Text(_what(one)),
            Text(in_bytes(one.nbytes), no_wrap=True),
            Text(_day(one.used, "%Y-%m-%d"), no_wrap=True, style="dim"),
            Text(_state(one, language), style="red" if one.broken else "yellow"),
        )
    left = len(models) - MOST_MODELS
    return Group(table, *([Text(say("inventory.more", language, count=left), style="dim")] if left > 0 else []))


def _what(one: Listed) -> str:
    size = in_parameters(one.num_parameters) if one.num_parameters is not None else None
    family = one.family or (one.name.family if one.name is not None else None)
    quants = one.quantisations[:3]
    said = (family, size, *one.formats[:2], *(quant for quant in quants if quant not in one.formats))
    return safe(" · ".join(part for part in said if part))


def _state(one: Listed, language: Language) -> str:
    ruins = Counter(ruin.ruin for ruin in one.broken)
    said = [say(f"inventory.ruin.{ruin}", language, count=count) for ruin, count in ruins.items()]
    if one.partial is not None:
        said.append(say("inventory.partial", language, nbytes=one.partial))
    return ", ".join(said)


def _doubles_line(doubles: Sequence[Double], language: Language) -> str:
    spare = sum(one.nbytes * (len(one.copies) - 1) for one in doubles)
    return say("inventory.doubles", language, count=len(doubles), nbytes=spare)


def _double_lines(doubles: Sequence[Double], language: Language) -> list[RenderableType]:
    from rich.text import Text

    lines: list[RenderableType] = []
    for double in doubles[:MOST_DOUBLES]:
        said = say(f"inventory.proof.{double.proof}", language)
        lines.append(Text(f"  {len(double.copies)} x {in_bytes(double.nbytes)}  {said}", style="cyan"))
        lines += [Text(f"    {copy.store}  {safe(copy.path)}") for copy in double.copies]
    return lines + _more(len(doubles) - MOST_DOUBLES, language)


def _spare_line(spare: Sequence[Spare], language: Language) -> str:
    return say("inventory.spare", language, count=len(spare), nbytes=sum(one.nbytes for one in spare))


def _spare_lines(spare: Sequence[Spare], language: Language) -> list[RenderableType]:
    from rich.text import Text

    largest = sorted(spare, key=lambda one: (-one.nbytes, one.path))
    lines: list[RenderableType] = []
    for one in largest[:MOST_SPARE]:
        why = say(f"inventory.why.{one.why}", language) if one.why is not None else say("inventory.goes_on", language)
        lines.append(Text(f"  {in_bytes(one.nbytes)}  {safe(one.path)}  {why}"))
    return lines + _more(len(largest) - MOST_SPARE, language)


def _left_lines(left: Iterable[Left], language: Language) -> list[RenderableType]:
    from rich.text import Text

    return [
        Text(f"  {say(f'inventory.reason.{one.reason}', language)}  {in_bytes(one.nbytes)}  {safe(one.path)}", "dim")
        for one in left
    ]


def _more(left: int, language: Language) -> list[RenderableType]:
    from rich.text import Text

    return [Text("  " + say("inventory.more", language, count=left), style="dim")] if left > 0 else []


def _day(seconds: float | None, form: str) -> str:
    try:
        return time.strftime(form, time.gmtime(seconds)) if seconds is not None else ""
    except (OverflowError, OSError, ValueError):
        return ""
