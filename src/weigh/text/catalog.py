"""The catalogue on a screen: a list, one entry in full, two beside each other, errata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from weigh.knowledge.catalog import Entry, Erratum, Family, Kind, Licence, Task, Vendor, kinds, licences, vendors
from weigh.text import Language, safe, say
from weigh.text.licences import allows
from weigh.text.pages import section

Row = tuple[str, str]
_MOST_IDS = 6
_STATUS_STYLE = {"current": "green", "superseded": "yellow", "retired": "red"}


def list_lines(entries: Sequence[tuple[str, Entry]], language: Language) -> RenderableType:
    """A line an entry."""
    table = Table.grid(padding=(0, 2))
    for sort, entry in entries:
        released, status, maker = "", "", ""
        if isinstance(entry, Family):
            released, status, maker = entry.released or "", entry.status, name_of(vendors()[entry.vendor], language)
        table.add_row(
            Text(entry.id, style="bold"),
            Text(name_of(entry, language)),
            Text(sort_name(sort, language), style="cyan"),
            Text(maker),
            Text(released, style="dim"),
            Text(say(f"catalog.status.{status}", language) if status else "", style=_STATUS_STYLE.get(status, "")),
        )
    return table


def entry_lines(sort: str, entry: Entry, line: Sequence[Family], language: Language) -> RenderableType:
    """One entry in full; `line` is its line of versions."""
    title = Text(name_of(entry, language), style="bold")
    title.append(f"  {sort_name(sort, language)}", style="cyan")
    return Group(title, _grid(rows_of(entry, line, language)))


def comparison_lines(
    one: tuple[Entry, Sequence[Family]], other: tuple[Entry, Sequence[Family]], language: Language
) -> RenderableType:
    """Two entries beside each other, row by row; what differs is bold."""
    left, right = dict(rows_of(*one, language)), dict(rows_of(*other, language))
    table = Table.grid(padding=(0, 2))
    for style in ("bold", "", ""):
        table.add_column(overflow="fold", style=style)
    table.add_row("", Text(name_of(one[0], language), style="bold"), Text(name_of(other[0], language), style="bold"))
    for key in dict.fromkeys((*left, *right)):
        differs = "bold" if left.get(key) != right.get(key) else ""
        table.add_row(f"  {key}", Text(left.get(key, "-"), style=differs), Text(right.get(key, "-"), style=differs))
    return table


def errata_lines(rows: Sequence[Erratum], language: Language) -> RenderableType:
    """What is said, what is right, by which source."""
    blocks: list[RenderableType] = []
    for row in rows:
        words = section("errata", row.id, language)
        head = Text(f"{row.id}  ", style="bold")
        head.append(say(f"catalog.verdict.{row.verdict}", language) + "  ", style="yellow")
        head.append(words["said"])
        told = Text(f"      {words['right']}")
        blocks += [head, told, Text(f"      {row.source}", style="dim")]
    return Group(*blocks)


def wrong_line(query: str, meant: Sequence[Entry], language: Language) -> str:
    """That the name is nobody's, and what may be meant."""
    if not meant:
        return say("catalog.wrong", language, name=query)
    near = say("explain.comma", language).join(f"{name_of(entry, language)} ({entry.id})" for entry in meant)
    return say("catalog.wrong_near", language, name=query, near=near)


def name_of(entry: Entry, language: Language) -> str:
    """Its name in this language."""
    return safe(entry.names.zh if language == "zh" else entry.names.en)


def sort_name(sort: str, language: Language) -> str:
    """A model kind by its own name, other sorts by theirs."""
    known = kinds().get(sort)
    return name_of(known, language) if known is not None else say(f"catalog.sort.{sort}", language)


def rows_of(entry: Entry, line: Sequence[Family], language: Language) -> list[Row]:
    """Labels and values; only what somebody says."""
    match entry:
        case Family():
            rows = [*_life(entry, line, language), *_measures(entry, language)]
        case Vendor():
            rows = [("country", entry.country), ("homepage", entry.homepage)]
            rows += [("hf", _many(entry.hf)), ("ms", _many(entry.ms))]
        case Kind():
            rows = [("inputs", _many(entry.inputs)), ("outputs", _many(entry.outputs))]
            rows += [("families", _many(entry.families)), ("formats", _many(entry.formats))]
            rows += [("engines", _many(entry.engines))]
        case Task():
            rows = [("kinds", _many(entry.kinds)), ("families", _many(entry.families))]
        case Licence():
            rows = [("licence", allows(entry, language))]
        case _:
            rows = []
    rows += [("aliases", _many(entry.aliases)), ("confidence", say(f"catalog.confidence.{entry.confidence}", language))]
    rows += [("sources", "\n".join((entry.source, *entry.also)))]
    return [(say(f"catalog.row.{key}", language), value) for key, value in rows if value]


def _life(family: Family, line: Sequence[Family], language: Language) -> Iterator[tuple[str, str | None]]:
    """Who made it, when, what came of it."""
    yield "id", family.id
    yield "vendor", name_of(vendors()[family.vendor], language)
    yield "released", family.released
    yield "status", _status(family, line, language)
    yield "line", " → ".join(f"[{one.id}]" if one is family else one.id for one in line) if len(line) > 1 else None
    yield "weights", say(f"catalog.weights.{family.weights}", language)
    if family.api is not None:
        yield "api", say(f"catalog.api.{family.api}", language) + (f" {family.api_ends}" if family.api_ends else "")
    if family.form is not None:
        yield "form", say(f"catalog.form.{family.form}", language)


def _status(family: Family, line: Sequence[Family], language: Language) -> str:
    status = say(f"catalog.status.{family.status}", language)
    after = [one for one in line if one.id in family.successors]
    if not after:
        return status
    key = "catalog.followed_by" if family.status == "current" else "catalog.superseded_by"
    return say(key, language, status=status, name=name_of(after[0], language))


def _measures(family: Family, language: Language) -> Iterator[tuple[str, str | None]]:
    """What it may be used for, how large it is, where it lies."""
    allowed = "\n".join(_terms(licences()[id], language) for id in family.licences)
    yield "licence", allowed or say("catalog.no_licence", language)
    yield "sizes", _many(family.sizes)
    yield "context", f"{family.context_length:,}" if family.context_length else None
    yield "inputs", _many(family.inputs)
    yield "outputs", _many(family.outputs)
    yield "formats", _many(family.formats)
    yield "hf", _ids(family.hf)
    yield "ms", _ids(family.ms)
    yield "ollama", family.ollama


def _terms(licence: Licence, language: Language) -> str:
    return say("catalog.terms", language, name=name_of(licence, language), allowed=allows(licence, language))


def _many(words: Sequence[str]) -> str:
    return ", ".join(safe(word) for word in words)


def _ids(ids: Sequence[str]) -> str:
    shown = "\n".join(map(safe, ids[:_MOST_IDS]))
    return shown + (f"\n+ {len(ids) - _MOST_IDS}" if len(ids) > _MOST_IDS else "")


def _grid(rows: Sequence[Row]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(f"  {label}", Text(value))
    return table
