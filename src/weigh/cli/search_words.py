"""What a search of the hubs found, on a screen and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from weigh.core.schema import SCHEMA
from weigh.core.units import in_bytes, in_parameters
from weigh.text import Language, safe, say

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

    from weigh.app.hub_search import Found, Row
    from weigh.core.fit import Fit
    from weigh.core.report import Provenance

_STYLES = {"fits": "green", "tight": "yellow", "offload": "yellow", "no": "red"}
_HEADS = ("model", "size", "fit", "downloads", "licence", "catalog")


def table_of(found: Found, language: Language) -> RenderableType:
    """A row a model, then what was left out."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    if not found.rows:
        return Group(Text(say("search.nothing", language)), *_notes(found, language))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for head in _HEADS:
        right = head in ("size", "downloads")
        table.add_column(say(f"search.head.{head}", language), justify="right" if right else "left", overflow="fold")
    for row in found.rows:
        table.add_row(
            Text("\n".join(row_lines(row)), style="bold"),
            _size(row),
            _fit(row.fit, language),
            _downloads(row),
            _licence(row, language),
            Text(_catalog(row.catalog, language)),
        )
    return Group(table, *_notes(found, language))


def row_lines(row: Row) -> list[str]:
    """The references that hold these weights, as `weigh pull` takes them."""
    return [safe(f"{hit.hub}:{hit.id}") for hit in row.on] + [f"  = {one}" for one in row.also_on]


def document(query: str, found: Found) -> dict[str, object]:
    """As JSON."""
    return {
        "schema": SCHEMA,
        "query": query,
        "results": [_plain(row) for row in found.rows],
        "left_out": found.left,
        "ill": found.ill,
        "failures": [{"hub": hub, "message": failure.message} for hub, failure in found.failures],
    }


def _plain(row: Row) -> dict[str, object]:
    on = [{"reference": f"{hit.hub}:{hit.id}", **_said(hit)} for hit in row.on]
    fit = (
        {"device": row.fit.device, "verdict": row.fit.verdict, "quant": row.fit.quant} if row.fit is not None else None
    )
    said: dict[str, object] = {
        "on": on,
        "same_by": row.same_by,
        "also_on": list(row.also_on),
        "parameters": row.parameters,
        "nbytes": row.nbytes,
        "fit": fit,
        "catalog": row.catalog,
    }
    return {key: value for key, value in said.items() if value is not None}


def _said(hit: msgspec.Struct) -> dict[str, object]:
    return {key: value for key, value in msgspec.structs.asdict(hit).items() if value is not None and key != "tags"}


def _fit(fit: Fit | None, language: Language) -> Text:
    """Whether it runs here, and packed how."""
    from rich.text import Text

    if fit is None:
        return Text("-", style="dim")
    said = Text(say(f"fit_verdict.{fit.verdict}", language), style=_STYLES[fit.verdict])
    return said.append(f" {safe(fit.quant)}", style="dim") if fit.quant is not None else said


def _licence(row: Row, language: Language) -> Text:
    """And whether its terms must be accepted first, on any of the hubs."""
    from rich.text import Text

    said = Text(safe(next((hit.licence for hit in row.on if hit.licence), "-"), longest=32))
    gated = any(hit.gated for hit in row.on)
    return said.append(f" {say('search.gated', language)}", style="yellow") if gated else said


def _size(row: Row) -> str:
    if row.parameters is not None:
        return in_parameters(row.parameters)
    return in_bytes(row.nbytes) if row.nbytes is not None else "-"


def _downloads(row: Row) -> str:
    most = max((hit.downloads for hit in row.on if hit.downloads is not None), default=None)
    return f"{most:,}" if most is not None else "-"


def _catalog(known: Provenance | None, language: Language) -> str:
    """Whose it is and what replaced it."""
    if known is None:
        return ""
    said = known.vendor.names[language]
    if known.uploaded_by is not None:
        said = say("search.by_other", language, vendor=said)
    names = say("explain.comma", language).join(one.names[language] for one in known.superseded_by)
    return said + (say("search.superseded", language, names=names) if names else "")


def _notes(found: Found, language: Language) -> list[RenderableType]:
    from rich.text import Text

    notes = [say("search.left", language, count=found.left)] if found.left else []
    notes += [say("search.ill", language, count=found.ill)] if found.ill else []
    return [Text(note, style="dim") for note in notes]
