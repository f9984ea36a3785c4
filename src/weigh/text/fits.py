"""Fits as lines for a screen: a row a device, the memory of the first by term, the command to start it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from weigh.core.fit import Fit, Interval
from weigh.core.units import in_bytes
from weigh.fit.curve import Curve
from weigh.text import Language, safe, say

_STYLE = {"fits": "bold green", "tight": "bold yellow", "offload": "bold yellow", "no": "bold red"}
TERMS = (
    "weights",
    "kv_cache",
    "recurrent_state",
    "compute",
    "output",
    "overhead",
    "training",
    "projector",
    "draft",
    "adapters",
)
_COLUMNS = ("device", "engine", "verdict", "memory", "decode", "prefill", "because")
_MARKS = "█▓▒░▪·▞◆◇+"
_WIDTH = 60
_CURVE = 40


def fit_lines(named: str, fits: tuple[Fit, ...], language: Language) -> RenderableType:
    """The whole answer for one reference."""
    return Group(*_blocks(named, fits, language))


def verdict_lines(named: str, fits: tuple[Fit, ...], language: Language) -> Iterator[str]:
    """A line a device: the verdict alone."""
    for fit in fits:
        yield f"{named}: {safe(fit.device)}: {say(f'fit_verdict.{fit.verdict}', language)}"


def curve_lines(curve: Curve, language: Language) -> Iterator[Text]:
    """Memory over context: a bar a length, marked where it is more than the device holds."""
    most = max((point.total for point in curve.points), default=1)
    yield Text("  " + say("fit.contexts", language), style="bold cyan")
    for point in curve.points:
        over = point.total > curve.budget
        line = Text(f"  {point.context_length:>9,}  ").append("█" * max(round(_CURVE * point.total / most), 1))
        yield line.append(f"  {in_bytes(point.total)}{' ✗' if over else ''}", style="red" if over else "")


def fit_rows(fits: tuple[Fit, ...], language: Language) -> Iterator[tuple[Text, Text]]:
    """A row a device for the whole report: the verdict, the speed and why."""
    for fit in fits:
        line = Text(say(f"fit_verdict.{fit.verdict}", language), style=_STYLE[fit.verdict])
        if fit.quant is not None:
            line.append(f"  {safe(fit.quant)}", style="default")
        if fit.speed is not None and fit.speed.decode is not None:
            speed = say("fit.speed", language, rate=_rate(fit.speed.decode))
            line.append(f"  {speed}", style="default")
        yield Text(safe(fit.device)), line.append(f"  {say(fit.because, language)}", style="default")


def _blocks(named: str, fits: tuple[Fit, ...], language: Language) -> Iterator[RenderableType]:
    yield Text(named, style="bold")
    if not fits:
        return
    yield Text()
    yield _table(fits, language)
    yield Text()
    yield from _memory(fits[0], language)
    yield Text()
    yield Text("  " + _basis(fits[0], language), style="dim")
    for line in _bounds(fits[0], language):
        yield Text("  " + line, style="dim")
    for fit in fits:
        if fit.command is not None:
            yield Text(f"  {safe(fit.device)}: ", style="dim").append(safe(fit.command, longest=400), style="bold")


def _bounds(fit: Fit, language: Language) -> Iterator[str]:
    """What is not known to the digit."""
    if fit.compute is not None:
        low, high, most = (in_bytes(round(size)) for size in (fit.compute.low, fit.compute.high, fit.most or 0))
        yield say("fit.graph", language, low=low, high=high, most=most)
    if fit.repacked is not None:
        yield say("fit.repacked", language, size=in_bytes(fit.repacked))


def _basis(fit: Fit, language: Language) -> str:
    context = fit.context_length or 0
    if fit.shapes is not None:
        return say(f"fit_shapes.{fit.basis}", language, context=context, base=fit.shapes, quant=fit.quant or "")
    return say(f"fit_basis.{fit.basis}", language, context=context, quant=fit.quant or "")


def _table(fits: tuple[Fit, ...], language: Language) -> Table:
    table = Table.grid(padding=(0, 2))
    for key in _COLUMNS:
        table.add_column(overflow="fold", no_wrap=key in ("engine", "memory"))
    heads = [Text(say(f"fit_column.{key}", language), style="bold cyan") for key in _COLUMNS]
    table.add_row(Text("  ").append_text(heads[0]), *heads[1:])
    for fit in fits:
        share = fit.devices[0] if fit.devices else None
        memory = f"{in_bytes(share.memory)} / {in_bytes(share.budget)}" if share is not None else ""
        table.add_row(
            Text("  " + safe(fit.device)),
            Text(fit.engine),
            Text(say(f"fit_verdict.{fit.verdict}", language), style=_STYLE[fit.verdict]),
            Text(memory),
            Text(_rate(fit.speed.decode if fit.speed is not None else None)),
            Text(_rate(fit.speed.prefill if fit.speed is not None else None)),
            Text(say(fit.because, language)),
        )
    return table


def _rate(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    low, typical, high = (f"{figure:.3g}" if figure < 100 else f"{figure:,.0f}" for figure in _figures(interval))
    return f"{typical} ({low}-{high})"


def _figures(interval: Interval) -> tuple[float, float, float]:
    return interval.low, interval.typical, interval.high


def _memory(fit: Fit, language: Language) -> Iterator[Text]:
    """A bar by term, and each term's bytes."""
    total = max(fit.memory.total, 1)
    bar = Text("  ")
    for term, mark in zip(TERMS, _MARKS, strict=True):
        bar.append(mark * round(_WIDTH * getattr(fit.memory, term) / total))
    yield bar.append(f"  {in_bytes(fit.memory.total)}", style="bold")
    for term, mark in zip(TERMS, _MARKS, strict=True):
        nbytes = getattr(fit.memory, term)
        if nbytes:
            doubt = " ≈" if term in fit.estimated else ""
            yield Text(f"  {mark} {say(f'fit_term.{term}', language)}  {in_bytes(nbytes)}{doubt}")
