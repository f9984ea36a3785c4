"""An Explanation as lines for a screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.cells import cell_len
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from weigh.core.explanation import Explanation, Figure
from weigh.text import Language, safe, say
from weigh.text.pages import paragraphs, section
from weigh.text.wrap import wrap


def explanation_lines(explanation: Explanation, language: Language, *, width: int) -> RenderableType:
    """Title, paragraphs with their roles beside them, figures, where to read on; `width` in cells."""
    return Group(*_blocks(explanation, language, width))


def contents_lines(contents: Mapping[str, tuple[str, ...]], language: Language) -> RenderableType:
    """Every term below its kind, in columns."""
    return Group(*_contents(contents, language))


def _blocks(explanation: Explanation, language: Language, width: int) -> Iterator[RenderableType]:
    title = Text(safe(explanation.term), style="bold")
    title.append("  ")
    title.append(say(f"explain.kind.{explanation.kind}", language), style="cyan")
    yield title
    yield Text()
    if explanation.page == "scenarios":
        yield from _scenarios(explanation, language, width)
    else:
        yield _grid(_told(explanation, language), language, width)
        rows = list(_figures(explanation, language))
        if rows:
            yield Text()
            yield _grid(rows, language, width)
    yield Text()
    yield _grid(_further(explanation, language), language, width)


def _told(explanation: Explanation, language: Language) -> list[tuple[str, Text]]:
    return [
        (say(f"explain.role.{role}", language), Text(text)) for role, text in paragraphs(explanation, language).items()
    ]


def _figures(explanation: Explanation, language: Language) -> Iterator[tuple[str, Text]]:
    """What the sentences do not have to say: only where the term was listed in a table."""
    if explanation.page == "grammar":
        return
    facts = explanation.facts
    for name, value in facts.items():
        if name == "block" and "block_bytes" in facts:
            block = say("explain.block", language, weights=facts["block"], nbytes=facts["block_bytes"])  # type: ignore[arg-type]
            yield say("explain.fact.block", language), Text(block)
        elif name != "block_bytes" and value != explanation.term:
            yield say(f"explain.fact.{name}", language), Text(_shown(name, value, language))


def _shown(name: str, value: Figure, language: Language) -> str:
    match name, value:
        case "needs", tuple(needs):
            return say("explain.comma", language).join(say(f"explain.need.{need}", language) for need in needs)
        case "status" | "weights", str(state):
            return say(f"catalog.{name}.{state}", language)
        case "runs_code", str(answer):
            return say(f"explain.code.{answer}", language)
        case "gigabytes_of_an_8b", float(size):
            return say("explain.eight", language, size=size)
        case "perplexity_added", float(added):
            return say("explain.perplexity", language, added=added)
        case _, float(number):
            return f"{number:g}"
        case _, tuple(words):
            return safe(say("explain.comma", language).join(words))
        case _:
            return safe(str(value))


def _further(explanation: Explanation, language: Language) -> list[tuple[str, Text]]:
    rows = []
    if explanation.see_also:
        see = "  ".join(dict.fromkeys(explanation.see_also))
        rows.append((say("explain.see_also", language), Text(safe(see, longest=2000))))
    rows.append((say("explain.sources", language), Text("\n".join(explanation.sources), style="dim")))
    return rows


def _scenarios(explanation: Explanation, language: Language, width: int) -> Iterator[RenderableType]:
    for text in paragraphs(explanation, language).values():
        yield Text(wrap(text, width))
    facts = explanation.facts
    for entry in (key for key in facts if "." not in key):
        words = section("scenarios", entry, language)
        yield Text()
        line = Text("  " + words["title"], style="bold")
        line.append("  ")
        line.append(_in_order(facts[entry]), style="green")
        yield line
        yield Padding(Text(wrap(words["why"], width - 4)), (0, 0, 0, 4))
        names = (("explain.kind.quantisation", "quantisations"), ("explain.fact.engines", "engines"))
        served = "    ".join(f"{say(name, language)}  {_in_order(facts[f'{entry}.{part}'])}" for name, part in names)
        yield Padding(Text(served, style="dim"), (0, 0, 0, 4))


def _in_order(names: Figure) -> str:
    return " > ".join(names) if isinstance(names, tuple) else str(names)


def _contents(contents: Mapping[str, tuple[str, ...]], language: Language) -> Iterator[RenderableType]:
    yield Text(say("explain.contents", language))
    for kind, known in contents.items():
        yield Text()
        yield Text(say(f"explain.kind.{kind}", language), style="bold cyan")
        yield Padding(Columns([Text(safe(term)) for term in known], padding=(0, 2), column_first=True), (0, 0, 0, 2))
    yield Text()
    yield Text(say("explain.shapes", language))


def _grid(rows: list[tuple[str, Text]], language: Language, width: int) -> Table:
    """Two columns; the first as wide as the widest of all roles and facts, so that blocks stand in line."""
    table = Table.grid(padding=(0, 2))
    first = max(int(say("explain.width", language)), *(cell_len(name) + 2 for name, _ in rows))
    table.add_column(no_wrap=True, min_width=first, style="bold")
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(f"  {name}", Text(wrap(text.plain, max(width - first - 2, 20)), style=text.style))
    return table
