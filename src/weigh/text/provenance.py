"""What the catalogue says of a model, as rows for a screen."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from weigh.core.report import Named, Provenance
from weigh.text import Language, safe, say
from weigh.text.licences import allows
from weigh.text.pages import section

_DAYS_OF_A_MONTH = 30.44
_STATUS_STYLE = {"current": "green", "superseded": "yellow", "retired": "red"}


def provenance_rows(told: Provenance, language: Language) -> list[tuple[Text, Text]]:
    """Labels and values; a name that is nobody's is said first, old data last."""
    return [(Text(say(f"catalog.row.{key}", language)), value) for key, value in _rows(told, language)]


def _rows(told: Provenance, language: Language) -> Iterator[tuple[str, Text]]:
    if told.wrong_name is not None:
        yield "wrong", Text(section("errata", told.wrong_name, language)["right"], style="bold red")
        yield "near", Text(f"{_name(told.family, language)} ({told.family.id})")
        return
    yield "family", Text(f"{_name(told.family, language)} ({told.family.id})")
    yield "vendor", _maker(told, language)
    if told.released is not None and told.age_days is not None:
        months = round(told.age_days / _DAYS_OF_A_MONTH)
        yield "released", Text(say("catalog.age", language, released=told.released, months=months))
    yield "status", Text(_status(told, language), style=_STATUS_STYLE[told.status])
    for terms in told.licences:
        allowed = allows(terms, language)
        yield "licence", Text(say("catalog.terms", language, name=_name(terms, language), allowed=allowed))
    if not told.licences:
        yield "licence", Text(say("catalog.no_licence", language))
    if told.also_on:
        yield "also_on", Text("  ".join(map(safe, told.also_on)))
    if told.is_stale:
        yield "as_of", Text(say("catalog.stale", language, date=told.as_of), style="yellow")


def _maker(told: Provenance, language: Language) -> Text:
    if told.uploaded_by is None:
        return Text(_name(told.vendor, language))
    return Text(say("catalog.uploaded", language, vendor=_name(told.vendor, language), uploader=told.uploaded_by))


def _status(told: Provenance, language: Language) -> str:
    status = say(f"catalog.status.{told.status}", language)
    if not told.superseded_by:
        return status
    return say("catalog.superseded_by", language, status=status, name=_name(told.superseded_by[0], language))


def _name(named: Named, language: Language) -> str:
    return safe(named.names[language])
