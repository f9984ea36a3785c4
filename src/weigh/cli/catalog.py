"""`weigh catalog [QUERY]`: vendors, kinds, tasks, families with their versions, licences; what does not exist."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from weigh.app.catalog import Found, Wish, errors, line_of, one, sort_of
from weigh.app.catalog import catalog as look_up
from weigh.cli.folders import synced_file
from weigh.cli.options import common, language_of
from weigh.core.errors import WeighError
from weigh.knowledge.catalog import AS_OF, Entry, Family
from weigh.knowledge.synced import Disagreement, Met
from weigh.text import Language, complain, say

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.argument("words", metavar="[QUERY]", nargs=-1)
@click.option("--kind", help="A model kind (llm, multimodal, embedding ...), or vendor, task, kind, licence.")
@click.option("--open", "is_open", is_flag=True, help="Only what has open weights.")
@click.option("--since", metavar="YEAR", help="Released in this year or month (2026, 2026-03) or later.")
@click.option("--vendor", metavar="NAME", help="Made by this vendor, in any script.")
@click.option("--licence", metavar="CLASS", help="commercial, conditional, or the name of a licence.")
@click.option("--errata", "only_errata", is_flag=True, help="Claims that go round and do not hold.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@click.option("--compare", nargs=2, metavar="A B", help="Two entries side by side.")
@click.option("--source", "sources", metavar="NAME", multiple=True, help="With sync: only from this source.")
@click.option("--dry-run", is_flag=True, help="With sync: show what would change, and write nothing.")
@common
def catalog(
    words: tuple[str, ...],
    kind: str | None,
    is_open: bool,
    since: str | None,
    vendor: str | None,
    licence: str | None,
    only_errata: bool,
    as_csv: bool,
    compare: tuple[str, str] | None,
    sources: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    lang: str | None,
    offline: bool,
    quiet: bool,
) -> int:
    """Search vendors, model families and versions, kinds, tasks and licences, in Chinese or English.

    `weigh catalog sync` hears what others publish (hf, ms, models.dev, litellm, xinference, ms-swift).
    """
    language = language_of(lang)
    form = "json" if as_json else "csv" if as_csv else "quiet" if quiet else "text"
    if words == ("sync",):
        from weigh.cli.sync import sync

        return sync(sources, language, form=form, offline=offline, dry_run=dry_run)
    query = " ".join(words) or None
    wish = Wish(kind=kind, open=is_open or None, since=since, vendor=vendor, licence=licence)
    try:
        if compare:
            return _compare(one(compare[0]), one(compare[1]), language, as_json=as_json)
        found = errors(query) if only_errata else look_up(query, wish)
    except WeighError as error:
        click.echo(f"weigh catalog: {complain(error, language)}", err=True)
        return 2
    beside = _Beside() if only_errata else _beside(found, language)
    _print(found, beside, language, form)
    if query is not None and not found.entries and not found.errata and not beside.met:
        click.echo(f"weigh catalog: {say('catalog.nothing', language, query=query)}", err=True)
        return 2
    return 2 if found.wrong else 0


class _Beside(NamedTuple):
    """What the last sync adds: models the table has no row for, and where sources disagree about the entry."""

    met: tuple[Met, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()


def _beside(found: Found, language: Language) -> _Beside:
    """Nothing where no sync was ever kept; a file that cannot be read is said to be, and passed over."""
    path = synced_file()
    if found.query is None or not os.path.lexists(path):
        return _Beside()
    from weigh.app.sync.keep import read_kept
    from weigh.app.sync.look import heard_of, look

    try:
        synced = read_kept(path)
    except WeighError as error:
        click.echo(f"weigh catalog: {complain(error, language)}", err=True)
        return _Beside()
    if synced is None:
        return _Beside()
    met = look(found.query, synced, known=bool(found.entries or found.errata))
    return _Beside(met, heard_of(found.entries[0], synced) if found.exact else ())


def _print(found: Found, beside: _Beside, language: Language, form: str) -> None:
    entries = [(sort_of(entry), entry) for entry in found.entries]
    match form:
        case "json":
            from weigh.text.catalog_document import catalog_document
            from weigh.text.document import to_json

            document = catalog_document(found.query, entries, found.errata) | beside._asdict()
            sys.stdout.write(to_json(document, language) + "\n")
        case "csv":
            from weigh.text.catalog_document import csv_text

            sys.stdout.write(csv_text(entries))
        case "quiet":
            for _, entry in entries:
                click.echo(entry.id)
        case _:
            _show(found, entries, language)
            _show_beside(beside, language)


def _show_beside(beside: _Beside, language: Language) -> None:
    if beside == _Beside():
        return
    from weigh.text.synced import disagreement_lines, met_lines

    console = _console()
    if beside.disagreements:
        console.print(say("sync.disagree", language, count=len(beside.disagreements)), style="bold cyan")
        console.print(disagreement_lines(beside.disagreements, language))
    if beside.met:
        console.print(say("sync.met", language), style="bold cyan")
        console.print(met_lines(beside.met, language))


def _show(found: Found, entries: list[tuple[str, Entry]], language: Language) -> None:
    from weigh.text.catalog import entry_lines, errata_lines, list_lines, wrong_line

    console = _console()
    if found.wrong and found.query is not None:
        console.print(wrong_line(found.query, found.entries, language), style="bold")
    elif found.exact:
        console.print(entry_lines(*entries.pop(0), _line(found.entries[0]), language))
        console.print()
    if entries:
        console.print(list_lines(entries, language))
    if found.errata:
        console.print()
        console.print(say("catalog.errata", language), style="bold cyan")
        console.print(errata_lines(found.errata, language))
    if found.entries or found.errata:
        console.print(say("catalog.as_of", language, date=AS_OF, count=len(found.entries)), style="dim")


def _compare(first: Entry, second: Entry, language: Language, *, as_json: bool) -> int:
    if as_json:
        from weigh.text.catalog_document import catalog_document
        from weigh.text.document import to_json

        pair = [(sort_of(entry), entry) for entry in (first, second)]
        sys.stdout.write(to_json(catalog_document(None, pair, ()), language) + "\n")
        return 0
    from weigh.text.catalog import comparison_lines

    _console().print(comparison_lines((first, _line(first)), (second, _line(second)), language))
    return 0


def _line(entry: Entry) -> tuple[Family, ...]:
    return line_of(entry) if isinstance(entry, Family) else ()


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 110)
