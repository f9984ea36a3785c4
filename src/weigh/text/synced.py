"""A sync on a screen: what was heard, what changed, where the sources disagree with the table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from weigh.knowledge.catalog import families, vendors
from weigh.knowledge.synced import Change, Disagreement, Heard, Met
from weigh.text import Language, safe, say
from weigh.text.catalog import name_of

MOST_LINES = 30


def heard_lines(heard: Sequence[Heard], absent: Sequence[str], language: Language) -> RenderableType:
    """A line a source: how much it said, or that it is not here."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for source in heard:
        said = say("sync.heard", language, count=len(source.models), place=source.place)
        said += say("sync.cut", language) if not source.whole else ""
        said += say("sync.ill", language, count=source.ill) if source.ill else ""
        table.add_row(safe(source.source), Text(said))
    for id in absent:
        table.add_row(safe(id), Text(say("sync.absent", language), style="dim"))
    return table


def disagreement_lines(rows: Sequence[Disagreement], language: Language) -> RenderableType:
    """Field by field: what the table says, and what each source says."""
    lines: list[RenderableType] = []
    for row in rows[:MOST_LINES]:
        line = Text("  ")
        line.append(row.family, style="bold")
        line.append(f"  {say(f'catalog.row.{row.field}', language)}  ", style="cyan")
        line.append(said_of(row, language))
        lines.append(line)
    return Group(*lines, *_more(len(rows), language))


def said_of(row: Disagreement, language: Language) -> str:
    """The table's word and each source's, on one line."""
    comma = say("explain.comma", language)
    ours = comma.join(map(safe, row.ours)) or say("sync.nothing", language)
    told = [(safe(source), comma.join(map(safe, values))) for source, values in row.theirs]
    theirs = [f"{source} {values or say('sync.not_listed', language)}" for source, values in told]
    return say("sync.said", language, ours=ours, theirs=" · ".join(theirs))


def change_lines(rows: Sequence[Change], language: Language) -> RenderableType:
    """What is new, gone or changed, source by source."""
    lines: list[RenderableType] = []
    for row in rows[:MOST_LINES]:
        line = Text(f"  {safe(row.source)}  ", style="dim")
        line.append(say(f"sync.what.{row.what}", language), style="cyan")
        line.append(f"  {safe(row.id)}", style="default")
        if row.field is not None:
            line.append(f"  {safe(row.field)}: {safe(row.before or '-')} → {safe(row.after or '-')}")
        lines.append(line)
    return Group(*lines, *_more(len(rows), language))


def met_lines(rows: Sequence[Met], language: Language) -> RenderableType:
    """Models that the table has no row for, each with who says so and since when."""
    table = Table.grid(padding=(0, 2))
    for row in rows:
        heard = ", ".join(f"{safe(source)} {safe(day)}" for source, day in row.heard)
        table.add_row(
            Text(safe(row.id), style="bold"),
            Text(safe(row.name or "")),
            Text(_belongs(row, language)),
            Text(safe(row.released or ""), style="dim"),
            Text(heard, style="magenta"),
        )
    return table


def _belongs(row: Met, language: Language) -> str:
    """Its family, else its vendor; a kept file may be older than the table."""
    if row.family is not None and (family := families().get(row.family)) is not None:
        return name_of(family, language)
    vendor = vendors().get(row.vendor) if row.vendor is not None else None
    return name_of(vendor, language) if vendor is not None else ""


def _more(count: int, language: Language) -> tuple[RenderableType, ...]:
    left = count - MOST_LINES
    return (Text("  " + say("sync.more", language, count=left), style="dim"),) if left > 0 else ()
