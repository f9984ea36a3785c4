"""A Name as lines for a screen: drawn, each part explained, what it leaves open, what it costs."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from weigh.core.name import Name, Part, Quant, Size
from weigh.core.saying import Saying
from weigh.knowledge.naming import quantisations
from weigh.text import Language, safe, say

_WIDEST = 96
_UNQUANTISED = 16.0  # bits a weight of what says nothing of its packing
_DOUBTFUL = 0.6
_RULES = ("─", "━")


def name_lines(name: Name, language: Language) -> RenderableType:
    """A name alone: drawn, each part explained."""
    return Group(*name_blocks(name, language))


def name_blocks(name: Name, language: Language) -> Iterator[RenderableType]:
    """The same, block by block, for a report; nothing for a name without a word."""
    spoken = [part for part in name.parts if part.kind != "separator"]
    if not spoken:
        return
    yield Text()
    yield Text(say("heading.name", language), style="bold cyan")
    yield from _drawn(name)
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, max_width=40)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for part in spoken:
        table.add_row(*_row(part, language))
    yield table
    yield from (Text("  " + line, style="dim") for line in _said_of_it(name, language))


def _row(part: Part, language: Language) -> tuple[Text, Text, Text]:
    why = say(part.why, language) if part.why is not None else ""
    doubt = Text("?" if part.confidence is not None and part.confidence < _DOUBTFUL else "", style="yellow")
    left = Text("  ").append(safe(part.text, longest=40), style="bold").append_text(doubt)
    return left, Text(say(f"part_kind.{part.kind}", language), style="dim"), Text(why)


def _drawn(name: Name) -> Iterator[Text]:
    """The name and, below it, a rule under each part, heavy where two meet; only where it fits a line."""
    shown = [(safe(part.text), part.kind) for part in name.parts]
    if sum(cell_len(text) for text, _ in shown) > _WIDEST:
        return
    yield Text("  " + "".join(text for text, _ in shown), style="bold")
    line, before = "  ", 1
    for text, kind in shown:
        before = 1 if kind == "separator" else 1 - before
        mark = {"separator": " ", "unknown": "·"}.get(kind, _RULES[before])
        line += mark * cell_len(text)
    yield Text(line, style="cyan")


def _said_of_it(name: Name, language: Language) -> Iterator[str]:
    missing = list(_unsaid(name))
    if missing and name.kind != "unknown":
        listed = say("name.and", language).join(say(f"name.missing.{key}", language) for key in missing)
        yield say("name.does_not_say", language, what=listed)
    if name.size is not None and (cost := _cost(name.size, bits_a_weight(name.quant))) is not None:
        yield say(cost, language)
    for part in name.other_readings:
        if part.why is not None:
            yield say("name.other", language, text=part.text, why=say(part.why, language))


def _unsaid(name: Name) -> Iterator[str]:
    """What the name leaves open."""
    if name.size is None:
        yield "size"
    if name.quant is None:
        yield "quant"
    if name.context_tokens is None:
        yield "context"


def bits_a_weight(quant: Quant | None) -> float:
    """What a weight of this packing takes, scales included; the nominal bits where no one measured it."""
    if quant is None:
        return _UNQUANTISED
    for row in quantisations():
        if row.scheme == quant.scheme and row.method == quant.method and row.bits_per_weight is not None:
            return row.bits_per_weight
    return float(quant.bits) if quant.bits is not None else _UNQUANTISED


def _cost(size: Size, bits: float) -> Saying | None:
    """Memory follows the total, speed what is active for a token."""
    if size.experts is not None and size.expert_b is not None:
        most = size.experts * size.expert_b * 1e9
        return Saying("name.mixture", most=most, bits=bits, nbytes=_nbytes(most, bits))
    if size.total_b is None:
        return None
    total = size.total_b * 1e9
    if size.active_b is not None:
        active = size.active_b * 1e9
        return Saying("name.moe", total=total, active=active, bits=bits, nbytes=_nbytes(total, bits))
    return Saying("name.dense", total=total, bits=bits, nbytes=_nbytes(total, bits))


def _nbytes(count: float, bits: float) -> int:
    return int(count * bits / 8)
